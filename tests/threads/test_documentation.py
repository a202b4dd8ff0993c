import re
from pathlib import Path
from textwrap import dedent

import pytest

from app.threads import parse_thread

PAGE = (Path(__file__).parents[2] / "docs" / "threads.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("heading", "kind", "size"), [("Text of a page", "text", 3), ("JSON", "json", 2)])
def test_the_documented_formats_are_read(heading: str, kind: str, size: int) -> None:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    block = re.search(r"(?:^(?: {4}.*)?\n)+", section[section.index("\n    ") + 1 :], re.MULTILINE)
    assert block is not None
    thread = parse_thread(dedent(block[0]))
    assert (thread.kind, thread.title) == (kind, "The Pool Should Stay Open")
    assert [comment.author for comment in thread.comments[:2]] == ["Ana", "Ben"]
    assert len(thread.comments) == size
    assert thread.comments[1].parent == thread.comments[0].id
    assert all(comment.date for comment in thread.comments)
