from pathlib import Path

import pytest

from data.examples import ExampleThread, load_examples


@pytest.fixture(scope="session")
def pages() -> Path:
    """Saved article pages, as HTML and as text."""
    return Path(__file__).parent / "pages"


@pytest.fixture(scope="session")
def examples() -> dict[str, ExampleThread]:
    return {thread.article.id: thread for thread in load_examples()}


@pytest.fixture(scope="session")
def example_files() -> list[Path]:
    return sorted((Path(__file__).parents[2] / "data" / "examples").glob("*.json"))
