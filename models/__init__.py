"""What a model is: text normalisation, features, the two estimators, and the bundle that ships them."""

from models.bundle import (
    RELEASES,
    Bundle,
    latest_bundle,
    list_bundles,
    load_bundle,
    save_bundle,
    verify_bundle,
)
from models.civility import ATTRIBUTES, CivilityModel, Span
from models.manifest import Manifest
from models.stance import STANCES, StanceModel

__all__ = [
    "ATTRIBUTES",
    "RELEASES",
    "STANCES",
    "Bundle",
    "CivilityModel",
    "Manifest",
    "Span",
    "StanceModel",
    "latest_bundle",
    "list_bundles",
    "load_bundle",
    "save_bundle",
    "verify_bundle",
]
