"""Every shipped version can be loaded, and says what it said when it was made."""

import json
from pathlib import Path
from typing import Any

import pytest

from models import RELEASES, list_bundles, load_bundle
from training.golden import FOLDER, differences, golden_scores

SHIPPED = list_bundles(RELEASES)


def beyond(scores: dict[str, Any], golden: dict[str, Any]) -> list[str]:
    apart = differences(scores, {part: one["scores"] for part, one in golden.items()})
    return [
        f"{part}: {figure} {found[figure]} > {limit}"
        for part, found in apart.items()
        for figure, limit in golden[part]["tolerance"].items()
        if found[figure] > limit
    ]


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_release_gives_the_scores_it_gave(folder: Path) -> None:
    path = FOLDER / f"{folder.name}.json"
    assert path.exists(), f"run: python -m training.golden {folder.name}"
    golden = json.loads(path.read_text(encoding="utf-8"))
    bundle = load_bundle(folder)
    scores = golden_scores(bundle)
    assert beyond(scores, golden) == []
    assert golden_scores(bundle) == scores
    civility = bundle.civility
    civility.fast_.intercept_ = civility.fast_.intercept_ + 0.05
    assert beyond(golden_scores(bundle), golden), "a model that was altered must be found out"


def test_no_golden_scores_are_left_of_a_release_that_is_gone() -> None:
    names = {path.stem for path in FOLDER.glob("*.json")} - {"comments"}
    assert names == {folder.name for folder in SHIPPED}
