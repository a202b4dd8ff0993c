import codecs
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.threads import (
    Thread,
    ThreadEncodingError,
    ThreadError,
    ThreadFormatError,
    ThreadReadError,
    ThreadTooLargeError,
    parse_thread,
    read_thread,
)
from app.threads.limits import MAX_COMMENTS
from app.threads.source import MAX_BYTES
from counterpoint import CounterpointError

TEXT = (
    "Café prices\n\nThey rise \u2013 again.\n\n1 thought on “Café prices”\n\n"
    "• May 1, 2024 at 1:00 pm\n  Très cher.\n"
)
HTML = (
    "<html><head><meta charset='{}'></head><h1>Café prices</h1><ol class='comment-list'>"
    "<li id='comment-1'><p>Très cher.</p></li></ol></html>"
)


def check(thread: Thread) -> None:
    assert thread.title == "Café prices"
    assert [comment.text for comment in thread.comments] == ["Très cher."]


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("windows-1252"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        HTML.format("utf-8").encode(),
        HTML.format("iso-8859-1").encode("latin-1"),
        HTML.format("mac-roman").encode("mac-roman"),
        HTML.format("no-such-charset").encode(),
        HTML.format("unicode_escape").encode(),
        codecs.BOM_UTF8 + HTML.format("iso-8859-1").encode(),
    ],
)
def test_encodings(content: bytes) -> None:
    check(parse_thread(content))


def test_a_bad_byte_in_a_long_page_is_forgiven() -> None:
    page = HTML.format("utf-8").replace("</html>", "<p>" + "x" * 5_000).encode() + b"\xff\x81</p>"
    check(parse_thread(page))


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", codecs.BOM_UTF16_LE + b"a", b"caf\x81\xff\x8d"]
)
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(ThreadEncodingError, match="encoding is unreadable"):
        parse_thread(content)


def test_paths_and_streams_of_bytes_and_text(tmp_path: Path) -> None:
    path = tmp_path / "page.without-a-telling-name"
    path.write_bytes(TEXT.encode())
    check(read_thread(path))
    check(read_thread(BytesIO(TEXT.encode())))
    check(read_thread(StringIO(TEXT)))
    with path.open(encoding="utf-8") as stream:
        check(read_thread(stream))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ThreadReadError, match=r"missing\.txt cannot be read"):
        read_thread(tmp_path / "missing.txt")
    with pytest.raises(ThreadReadError, match="cannot be read"):
        read_thread(tmp_path)


def test_the_limits_are_named(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ThreadTooLargeError, match="10 MiB"):
        read_thread(path)
    crowd = "• May 1, 2024 at 1:00 pm\nx\n" * (MAX_COMMENTS + 1)
    with pytest.raises(ThreadTooLargeError, match=str(MAX_COMMENTS)):
        parse_thread(f"T\n\n3 Comments\n\n{crowd}")
    with pytest.raises(ThreadTooLargeError, match=str(MAX_COMMENTS)):
        parse_thread("[" + ",".join(['{"text":"x"}'] * (MAX_COMMENTS + 1)) + "]")


@pytest.mark.parametrize("text", ["", " \n\t ", "\ufeff"])
def test_an_empty_file(text: str) -> None:
    with pytest.raises(ThreadFormatError, match="empty"):
        parse_thread(text)


def test_every_error_is_one_of_the_tree() -> None:
    assert issubclass(ThreadError, CounterpointError)


PIECES = st.sampled_from(
    [
        "2 thoughts on “x”",
        "Comments",
        "• May 1, 2024 at 1:00 pm",
        "• Ana says:",
        "May 31, 2024 at 25:00 pm",
        "Pingback: x",
        "Leave a Reply",
        "  ◦ ",
        "Reply",
        "<ol class='comment-list'>",
        "<li id='comment-1' class='comment depth-2'>",
        "<li class='pingback'>",
        "</li>",
        "</ol>",
        "<blockquote>",
        "<time datetime='x'>",
        "<cite class='fn'>",
        "<!-- ",
        "<![x[",
        "<?xml ?>",
        "<h1>x</h1>",
        "&#xd800;",
        '{"comments": [',
        '{"text": "x", "id": 1, "parent": 1}',
        '"replies": [',
        "]}",
        "[{",
        "\ud800",
        "\0",
        "\n",
        "\n\n",
    ]
)


@given(st.lists(PIECES | st.text(max_size=20), max_size=25).map("\n".join) | st.text())
@example("<![")
@example("<![x[ ]]>")
@example("[]")
@example('{"comments": [{"date": 1e400}]}')
@example('{"comments": [{"date": NaN}]}')
@example("1 Comment")
def test_any_text_is_a_thread_or_a_clear_error(text: str) -> None:
    try:
        thread = parse_thread(text)
    except ThreadError:
        return
    ids = [comment.id for comment in thread.comments]
    assert ids
    assert len(set(ids)) == len(ids)
    assert sorted(ids) == sorted(comment.id for _, comment in thread.in_reading_order())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_thread_or_a_clear_error(content: bytes) -> None:
    try:
        thread = parse_thread(content)
    except ThreadError:
        return
    assert thread.comments
