"""The same texts to two services that speak the Perspective protocol, and how far their scores agree.

Nothing in here logs a text, and a key is in no message.
"""

from app.compare.agreement import Agreement, Change, agreement, largest_changes, write_csv
from app.compare.asking import Comparison, Endpoint, Reply, compare
from app.compare.errors import CompareError
from app.compare.texts import Text, read_texts

__all__ = [
    "Agreement",
    "Change",
    "CompareError",
    "Comparison",
    "Endpoint",
    "Reply",
    "Text",
    "agreement",
    "compare",
    "largest_changes",
    "read_texts",
    "write_csv",
]
