"""Where the datasets lie."""

import os
from pathlib import Path

from data.errors import DataDirError

__all__ = ["DATA_DIR_VARIABLE", "data_dir"]

DATA_DIR_VARIABLE = "COUNTERPOINT_DATA_DIR"


def data_dir(chosen: Path | None = None) -> Path:
    """Return the data folder: `chosen`, or what `COUNTERPOINT_DATA_DIR` names.

    Raises:
        DataDirError: none is named, or there is no such folder.
    """
    named = chosen or os.environ.get(DATA_DIR_VARIABLE)
    if not named:
        raise DataDirError(
            f"No data folder is named: set {DATA_DIR_VARIABLE} to the folder that holds the datasets"
            " (`counterpoint data fetch --to FOLDER` fills one)."
        )
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise DataDirError(f"The data folder {folder} does not exist or is not a folder.")
    return folder
