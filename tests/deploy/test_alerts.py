"""Alerts and dashboard ask for what the service tells, and each alert has its section in the runbook."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from promql_parser import Expr, Matcher, VectorSelector

ROOT = Path(__file__).parents[2]
FROM_PROMETHEUS = {"job", "instance", "le"}
SUFFIXES = re.compile(r"_(bucket|count|sum|total)$")


@pytest.fixture(scope="module")
def rules(deploy: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load((deploy / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def dashboard(deploy: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((deploy / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def told(serve: Callable[..., Any], shipped_bundle_path: Path) -> dict[str, set[str]]:
    """Metric → its labels, as a running service with a real bundle tells them."""
    body = {"comment": {"text": "The square was livelier with cars."}, "article": {"premise": "Ban cars"}}
    with serve(releases=shipped_bundle_path.parent) as running:
        httpx.post(f"{running.url}/v1/score", json=body, trust_env=False).raise_for_status()
        text = httpx.get(f"{running.url}/metrics", trust_env=False).text
    families = list(text_string_to_metric_families(text))
    labels: dict[str, set[str]] = {family.name: set() for family in families}
    for sample in (sample for family in families for sample in family.samples):
        labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


def selectors(expression: str) -> Iterator[VectorSelector]:
    found: list[VectorSelector] = []

    def visit(node: Expr) -> bool:
        if isinstance(node, VectorSelector):
            found.append(node)
        return True

    plain = expression.replace("$__rate_interval", "5m").replace("$instance", ".*")
    promql_parser.walk(promql_parser.parse(plain), visit)
    assert found or "up{" in expression
    yield from found


def missing(expression: str, told: dict[str, set[str]]) -> list[str]:
    """What an expression asks for and the service does not tell."""
    lacking = []
    for selector in selectors(expression):
        if selector.name == "up":
            continue
        matchers: list[Matcher] = selector.matchers.matchers
        labels = {one.name for one in matchers} - FROM_PROMETHEUS
        if selector.name not in told:
            lacking.append(str(selector.name))
        # A challenger's figures have no samples where there is no challenger.
        elif not selector.name.startswith("counterpoint_shadow") and not labels <= told[selector.name]:
            lacking.append(f"{selector.name}{labels - told[selector.name]}")
    return lacking


def test_what_is_missing_is_seen(told: dict[str, set[str]]) -> None:
    assert missing('rate(counterpoint_decisions_total{act="x"}[5m])', told) == [
        "counterpoint_decisions_total{'act'}"
    ]
    assert missing("counterpoint_decision_total + 1", told) == ["counterpoint_decision_total"]
    with pytest.raises(ValueError, match="unclosed"):
        missing("sum(rate(counterpoint_decisions_total[5m])", told)


def test_alerts_ask_for_what_is_told(rules: list[dict[str, Any]], told: dict[str, set[str]]) -> None:
    assert len(rules) > 8
    for rule in rules:
        assert missing(rule["expr"], told) == [], rule["alert"]
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]


def test_each_alert_has_its_section_and_each_section_its_alert(rules: list[dict[str, Any]]) -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (Counterpoint\w+)$", page, re.MULTILINE)
    assert sections == [rule["alert"] for rule in rules]
    for rule in rules:
        assert rule["annotations"]["runbook_url"] == f"docs/operating.md#{rule['alert'].lower()}"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus' promtool is not here")
def test_every_alert_fires_when_it_should() -> None:
    case = Path(__file__).with_name("alerts_test.yaml")
    done = subprocess.run(["promtool", "test", "rules", case], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def targets(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
    yield from (one["expr"] for one in dashboard["annotations"]["list"])


def test_the_dashboard_asks_for_what_is_told(dashboard: dict[str, Any], told: dict[str, set[str]]) -> None:
    asked = list(targets(dashboard))
    assert len(asked) > 20
    for expression in asked:
        assert missing(expression, told) == [], expression


def test_the_dashboard_is_one(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert dashboard["schemaVersion"] >= 36
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        own = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not own & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= own
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["targets"]
    variables = {one["name"] for one in dashboard["templating"]["list"]}
    assert {"datasource", "instance"} == variables


def test_every_metric_is_described(told: dict[str, set[str]]) -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(counterpoint_\w+)` \|", page, re.MULTILINE))
    # The parser leaves a counter's suffix out of its family's name.
    families = {name for name in told if not SUFFIXES.search(name) or SUFFIXES.sub("", name) not in told}
    assert {SUFFIXES.sub("", name) for name in described} == families
