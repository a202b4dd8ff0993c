"""What lies in deploy/, read once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture(scope="session")
def deploy() -> Path:
    return DEPLOY


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def resources() -> dict[str, dict[str, Any]]:
    """Every Kubernetes resource by kind and name."""
    return {
        f"{one['kind']}/{one['metadata'].get('name', one['metadata'].get('generateName'))}": one
        for one in _documents(DEPLOY / "kubernetes")
    }


@pytest.fixture(scope="session")
def pods(resources: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The specification of every pod that the resources make, by the resource's name."""
    return {name: pod for name, one in resources.items() if (pod := _pod_of(one)) is not None}


def _documents(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def _pod_of(resource: dict[str, Any]) -> dict[str, Any] | None:
    spec = resource["spec"]
    for name in ("jobTemplate", "template"):
        if name in spec:
            return _pod_of(spec[name]) or spec[name]["spec"]
    return None
