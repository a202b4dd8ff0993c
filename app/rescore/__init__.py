"""Rescoring an archive: any size, any format, interrupted at will.

The input is cut into parts in a way that depends on nothing but the input. One function turns a part into
its files (`work`); the engines only differ in who calls it. A receipt marks a part as finished; when all are,
they are joined in order. No text of a comment is in any message or log.
"""

from app.rescore.drift import Drift, find_drift, write_drift
from app.rescore.engines import Engine, in_process, on_cluster, through_service
from app.rescore.errors import ArchiveError, OutputError, PartError, RescoreError, RunError
from app.rescore.files import is_remote
from app.rescore.gathering import Order
from app.rescore.joining import kind_of_output
from app.rescore.models import model_of
from app.rescore.preview import Preview, preview
from app.rescore.remote import rescore_elsewhere, staged_output
from app.rescore.run import Outcome, Rescoring, rescore
from app.rescore.service import Service

__all__ = [
    "ArchiveError",
    "Drift",
    "Engine",
    "Order",
    "Outcome",
    "OutputError",
    "PartError",
    "Preview",
    "RescoreError",
    "Rescoring",
    "RunError",
    "Service",
    "find_drift",
    "in_process",
    "is_remote",
    "kind_of_output",
    "model_of",
    "on_cluster",
    "preview",
    "rescore",
    "rescore_elsewhere",
    "staged_output",
    "through_service",
    "write_drift",
]
