"""openai's moderations, told nothing but `base_url`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
UNSUPPORTED = {
    *("illicit", "illicit/violent", "self-harm", "self-harm/intent", "self-harm/instructions"),
    *("sexual", "sexual/minors", "violence", "violence/graphic"),
}
SCORED = {"harassment", "harassment/threatening", "hate", "hate/threatening"}


@pytest.fixture(scope="module")
def found(run_python: Run, server_url: str) -> Any:
    return run_python("openai", "openai_client.py", server_url)


def test_one_text(found: Any, bundle_path: Path) -> None:
    answer = found["one"]
    assert answer["id"].startswith("modr-")
    assert answer["model"] == f"counterpoint-{bundle_path.name}"
    (result,) = answer["results"]
    assert result["flagged"] is True
    assert [name for name, is_so in result["categories"].items() if is_so] == ["harassment"]
    assert result["category_scores"].keys() == SCORED | UNSUPPORTED
    assert all(0 <= result["category_scores"][name] <= 1 for name in SCORED)


def test_what_is_not_scored_says_so(found: Any) -> None:
    (result,) = found["one"]["results"]
    applied = result["category_applied_input_types"]
    assert {name for name, types in applied.items() if types == ["text"]} == SCORED
    for name in UNSUPPORTED:
        assert (applied[name], result["categories"][name], result["category_scores"][name]) == ([], False, 0)


def test_a_list_in_order(found: Any) -> None:
    civil, rude = found["many"]["results"]
    assert (civil["flagged"], rude["flagged"]) == (False, True)
    assert civil["category_scores"]["harassment"] < rude["category_scores"]["harassment"]
    assert found["parts"]["results"] == found["one"]["results"] == [rude]


def test_errors_are_the_clients_own(found: Any) -> None:
    error = found["error"]
    assert (error["code"], error["param"]) == ("string_above_max_length", "input[1]")
    assert error["message"].startswith("Error code: 400 - 'input[1]' has more than 20480 bytes")
    assert error["body"]["type"] == "invalid_request_error"
