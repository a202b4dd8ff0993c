from pathlib import Path

import pytest

from models import ATTRIBUTES, STANCES, verify_bundle
from training.attribute_page import PAGE, with_attribute_table

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_is_that_of_the_shipped_bundle(shipped_bundle_path: Path) -> None:
    filled = with_attribute_table(TEXT, verify_bundle(shipped_bundle_path))
    assert filled == TEXT, "run: python -m training.attribute_page"


def test_the_table_has_every_attribute() -> None:
    rows = [line.split("|")[1].strip() for line in TEXT.split("<!-- auc:")[1].splitlines() if "|" in line]
    assert rows[2:] == [*ATTRIBUTES, *(f"STANCE_{stance.upper()}" for stance in STANCES)]


def test_a_page_without_marks_is_refused(shipped_bundle_path: Path) -> None:
    with pytest.raises(ValueError, match="not found"):
        with_attribute_table("No table here.", verify_bundle(shipped_bundle_path))
