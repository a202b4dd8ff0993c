"""Counterpoint: the version and the root of the one exception tree.

This module imports nothing of ours, so that every room may import it::

    CounterpointError
    ├── DataError        data/errors.py      datasets: catalog, files, formats
    ├── ModelError       models/errors.py    models and bundles
    ├── TrainingError    training/errors.py  building and judging a bundle
    └── AppError         app/errors.py       requests, threads, the client
"""

__all__ = ["CounterpointError", "__version__"]

__version__ = "0.1.0"


class CounterpointError(Exception):
    """Base of every error that Counterpoint raises on purpose.

    Its message is one plain sentence for the person at the keyboard: it names the thing at fault
    and, where there is one, the limit.
    """
