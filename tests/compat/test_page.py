"""docs/perspective.md names what the code does."""

import re
from pathlib import Path

import httpx

from app.compat import perspective
from models import ATTRIBUTES, STANCES

PAGE = (Path(__file__).parents[2] / "docs" / "perspective.md").read_text(encoding="utf-8")


def test_the_page_names_every_route() -> None:
    told = set(re.findall(r"^\| `[A-Z]+ (/[^`?]+)", PAGE, re.MULTILINE))
    assert told <= {getattr(route, "path", "") for route in perspective.router.routes}
    assert len(told) == 4


def test_the_page_names_every_attribute_and_category(http: httpx.Client) -> None:
    for name in [*ATTRIBUTES, *(f"STANCE_{stance.upper()}" for stance in STANCES)]:
        assert name in PAGE
    answer = http.post("/v1/moderations", json={"input": "Thank you."}).json()
    (result,) = answer["results"]
    table = PAGE.split("| category |")[1]
    for category, applied in result["category_applied_input_types"].items():
        (row,) = (line for line in table.splitlines() if f"`{category}`" in line)
        assert ("**unsupported**" in row) == (applied == [])
