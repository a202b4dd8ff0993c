"""Export, import and retention, on both databases."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app.errors import StoredRowError
from app.feedback import Feedback, SpanFeedback
from app.schemas import ArticleRegistration
from app.store import Store
from app.store.comments import StoredComment
from app.store.files import read_rows, write_jsonl, write_parquet
from app.store.retention import PRUNABLE, prune
from app.store.transfer import import_rows

Make = Callable[..., StoredComment]
ROWS = 1_300
OLD = {
    "source": "perspective",
    "text": "Fool.",
    "scores": {"INSULT": 1.0},
    "spans": [{"attribute": "INSULT", "begin": 0, "end": 4, "score": 1.0}],
    "languages": ["en"],
    "context": [],
    "community_id": "c",
    "client_token": None,
    "session_id": "s",
    "received": "2026-11-01T12:00:00.000+00:00",
}


@pytest.fixture
def full(store: Store, comment: Make) -> Store:
    """A store with something in every table, more than fits into one portion."""
    store.articles.put("a", ArticleRegistration(premise="Ban cars", url="https://news.example/a"))
    store.articles.put("b", ArticleRegistration(premise=["Ban cars", "Ban phones 🚲"]))
    begin = comment().scored
    store.comments.keep(
        [
            comment(f"Text {n} 🚲", article_id="a", stance="agree", relevance=0.5, reasons=[{"code": "x"}])
            for n in range(ROWS)
        ]
        + [comment("Not English.", toxicity=None, hour=48)]
    )
    store.feedback.keep(
        [
            Feedback("mod", f"Text {n} 🚲", {"INSULT": 0.5}, received=begin, client_token=str(n % 1_000))
            for n in range(ROWS)
        ]
    )
    spans = [SpanFeedback("INSULT", 0, 4, 1.0)]
    more = {"stance": "agree", "premise": "Ban cars", "languages": ["en"], "context": ["somewhere"]}
    more["key_id"] = "3kq9x0a7bz"
    store.feedback.add(Feedback("mod", "Later.", spans=spans, received=begin + timedelta(hours=48), **more))  # type: ignore[arg-type]
    return store


@pytest.mark.parametrize("write", [write_jsonl, write_parquet])
def test_what_is_exported_can_be_imported(full: Store, tmp_path: Path, write: Callable[..., int]) -> None:
    total = 2 * ROWS + 4
    assert write(full.database, tmp_path / "export") == total
    other = Store(f"sqlite:///{tmp_path / 'other.sqlite3'}", timeout_s=30)
    for _ in range(2):  # a second time changes nothing
        assert sum(import_rows(other.database, read_rows(tmp_path / "export")).values()) == total
    for article in ("a", "b"):
        assert other.articles.get(article) == full.articles.get(article)
    assert list(other.feedback.iterate(every=True)) == list(full.feedback.iterate(every=True))
    assert other.feedback.latest() == full.feedback.latest()
    assert other.comments.count("a", None, {}) == full.comments.count("a", None, {})
    digests = [one.digest for one in full.feedback.iterate()][:50]
    found, expected = ({one.digest: one for one in s.comments.find([], digests)} for s in (other, full))
    assert found == expected
    other.close()


def test_an_import_replaces_nothing_newer(store: Store, comment: Make, tmp_path: Path) -> None:
    store.comments.keep([comment(id="c")])
    write_jsonl(store.database, tmp_path / "x.jsonl")
    newer = comment(id="c", hour=1, model="2026.9.0")
    store.comments.keep([newer])
    import_rows(store.database, read_rows(tmp_path / "x.jsonl"))
    assert store.comments.find(["c"]) == [newer]


def test_an_export_from_before_there_were_lists_of_claims(store: Store, tmp_path: Path) -> None:
    row = {"table": "articles", "id": "a", "premise": "Ban cars", "updated": "2026-11-01T00:00:00Z"}
    (tmp_path / "x.jsonl").write_text(json.dumps(row))
    import_rows(store.database, read_rows(tmp_path / "x.jsonl"))
    assert store.articles.premises(["a"], [])[0] == {"a": "Ban cars"}


def test_old_feedback_files_are_taken_over(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "counterpoint-feedback.jsonl"
    lines = [
        "",
        json.dumps(OLD),
        json.dumps(OLD),
        json.dumps(OLD | {"client_token": "t"}),
        '{"source": "persp',
    ]
    file.write_text("\n".join(lines))
    for _ in range(2):
        import_rows(store.database, read_rows(file))
    kept = store.feedback.latest()
    assert [one.client_token for one in kept].count(None) == 2
    assert len(kept) == 3
    assert (kept[0].scores, kept[0].spans) == ({"INSULT": 1.0}, [SpanFeedback("INSULT", 0, 4, 1.0)])
    assert (kept[0].community_id, kept[0].session_id, kept[0].source) == ("c", "s", "perspective")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no json", "line 1: not JSON"),
        ("[]", "line 1: not an object"),
        ('{"table": "users"}', "row 1: table must be one of"),
        (
            '{"table": "articles", "id": "a", "updated": "2026-11-01T00:00:00Z"}',
            "articles.premise: Field required",
        ),
        (
            '{"table": "articles", "id": "a", "premise": "p", "updated": "2026-11-01T00:00:00"}',
            "articles.updated",
        ),
        (
            '{"table": "articles", "id": "a", "premise": "p", "claims": "p"}',
            "articles.claims: Input should be a valid list",
        ),
    ],
)
def test_files_that_are_refused(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "x.jsonl").write_text(line)
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}", timeout_s=30)
    with pytest.raises(StoredRowError, match=message):
        import_rows(store.database, read_rows(tmp_path / "x.jsonl"))
    store.close()


def test_pruning_forgets_what_is_older(full: Store, comment: Make) -> None:
    before = comment().scored + timedelta(hours=24)
    seen: list[int] = []
    assert prune(full.database, before, "comments", dry_run=True) == ROWS
    assert prune(full.database, before, "comments", progress=seen.append) == ROWS
    assert seen == [1_000, ROWS]
    assert prune(full.database, before, "feedback") == ROWS
    assert [prune(full.database, before, kind) for kind in PRUNABLE] == [0, 0, 0]
    assert [one.text for one in full.feedback.latest()] == ["Later."]
    assert full.comments.count("a", None, {}) == []
    assert full.articles.get("a") is not None


def test_texts_can_go_while_scores_stay(full: Store, comment: Make) -> None:
    before = comment().scored + timedelta(hours=24)
    counts = full.comments.count("a", None, {})
    assert prune(full.database, before, "comments", texts_only=True) == ROWS
    assert prune(full.database, before, "feedback", texts_only=True) == ROWS
    assert prune(full.database, before, "feedback", texts_only=True) == 0
    assert full.comments.count("a", None, {}) == counts
    judged = list(full.judged.iterate())
    assert [one.text for one in judged if one.text] == ["Later."]
    assert judged[0].feedback.scores == {"INSULT": 0.5}


def test_what_is_pruned_is_gone_from_the_file(tmp_path: Path, comment: Make) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}", timeout_s=30)
    store.comments.keep([comment(f"Rosebud {n}") for n in range(200)])
    prune(store.database, comment(hour=1).scored, "comments")
    assert not any(b"Rosebud" in file.read_bytes() for file in tmp_path.iterdir())
    store.close()
