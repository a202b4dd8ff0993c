from datetime import datetime
from pathlib import Path

import pytest

from app.threads import NoCommentsError, ThreadFormatError, parse_thread, read_thread
from data.examples import ExampleThread


@pytest.mark.parametrize(
    ("page", "example", "first"),
    [("bike-lane.html", "bike-lane", 400), ("hospital-merger-old-theme.html", "hospital-merger", 9100)],
)
def test_new_and_old_themes(
    pages: Path, examples: dict[str, ExampleThread], page: str, example: str, first: int
) -> None:
    thread, original = read_thread(pages / page), examples[example]
    assert thread.kind == "html"
    assert (thread.title, thread.text) == (original.article.title, original.article.text)
    assert thread.url == original.article.url

    def number(id: str | None) -> str | None:
        return str(first + int(id[1:])) if id else None

    found = {comment.id: comment for comment in thread.comments}
    assert set(found) == {number(comment.id) for comment in original.comments}
    for comment in original.comments:
        read = found[str(number(comment.id))]
        assert (read.author, read.text, read.parent) == (comment.author, comment.text, number(comment.parent))
        assert read.date is not None
        assert read.date.replace(tzinfo=None) == comment.date.replace(tzinfo=None)


def test_the_machine_s_date_keeps_its_offset(pages: Path, examples: dict[str, ExampleThread]) -> None:
    dates = {comment.date for comment in read_thread(pages / "bike-lane.html").comments}
    assert dates == {comment.date for comment in examples["bike-lane"].comments}


def test_an_untidy_page(pages: Path) -> None:
    thread = read_thread(pages / "museum-mask-untidy.html")
    assert thread.title == "The Lindqvist Museum Is Right to Send the Mask Home"
    assert thread.text == (
        "For a hundred and twelve years it has looked past visitors, with half-closed eyes & a crack "
        "above the left brow.\n\nIn October the bronze mask of Ondara will travel home."
    )
    letters, quoting, reply, last = thread.comments
    assert letters.author == "Thandeka O."
    assert letters.text == (
        "My grandfather signed one of those polite letters.\nHe did not live to read this, "
        "but I did \N{EN DASH} thank you <3"
    )
    assert (quoting.date, quoting.date_text) == (None, "a while after lunch")
    assert quoting.text.split("\n\n") == [
        "The article says:",
        "> The usual objections have been made.",
        "> It was said that the mask is safer here.",
        "I am not persuaded.",
    ]
    assert (reply.author, reply.parent, reply.text) == ("Olé B.", quoting.id, "Good! 👏")
    assert (reply.date, reply.date_text) == (None, None)
    assert (last.parent, last.date, last.text) == (None, datetime(2026, 5, 6, 8, 5), "Unclosed tags all over")


def test_the_oldest_theme_with_bare_markup() -> None:
    thread = parse_thread(
        "<html><body><h2 class='post-title'>Title</h2><ol class='commentlist'>"
        "<li class='alt' id='comment-7'><cite><a href='#'>Ana</a></cite> Says:<br />"
        "<small class='commentmetadata'><a href='#comment-7'>November 17th, 2016 at 8:51 pm</a></small>"
        "<p>He says: no.</p></li></ol>"
    )
    (comment,) = thread.comments
    assert (comment.id, comment.author, comment.date) == ("7", "Ana", datetime(2016, 11, 17, 20, 51))
    assert comment.text == "He says: no."


def test_comments_made_of_divisions() -> None:
    thread = parse_thread(
        "<h1>Title</h1><div id='comments'><div class='comment depth-1' id='comment-1'>"
        "<div id='div-comment-1' class='comment-body'><div class='comment-author vcard'>"
        "<cite class='fn'>Ana</cite></div><p>One.</p></div>"
        "<div class='comment depth-2' id='comment-2'><div id='div-comment-2' class='comment-body'>"
        "<div class='comment-author vcard'><cite class='fn'>Ben</cite></div><p>Two.</p></div>"
        "</div></div></div>"
    )
    assert [(c.id, c.author, c.parent, c.text) for c in thread.comments] == [
        ("1", "Ana", None, "One."),
        ("2", "Ben", "1", "Two."),
    ]


def test_blocks_of_the_site_editor() -> None:
    thread = parse_thread(
        "<main><h1 class='wp-block-post-title'>Title</h1>"
        "<div class='wp-block-post-content'><p>Body.</p></div>"
        "<ol class='wp-block-comment-template'><li id='comment-5' class='comment depth-1'><div>"
        "<div class='wp-block-comment-author-name'>Ana</div><div class='wp-block-comment-date'>"
        "<time datetime='2024-05-01T13:00:00+00:00'>May 1, 2024</time></div>"
        "<div class='wp-block-comment-content'><p>Hello.</p></div>"
        "<div class='wp-block-comment-reply-link'><a href='#'>Reply</a></div></div></li></ol></main>"
    )
    (comment,) = thread.comments
    assert (thread.text, comment.author, comment.text) == ("Body.", "Ana", "Hello.")
    assert comment.date is not None
    assert comment.date.isoformat() == "2024-05-01T13:00:00+00:00"


def test_wpdiscuz() -> None:
    def comment(id: str, depth: int, author: str, title: str, text: str, inside: str = "") -> str:
        return (
            f"<div id='wpd-comm-{id}' class='comment depth-{depth} wpd-comment'>"
            "<div class='wpd-comment-wrap'>"
            "<div class='wpd-comment-left'><div class='wpd-comment-label'>Guest</div></div>"
            f"<div id='comment-{id.split('_')[0]}' class='wpd-comment-right'>"
            f"<div class='wpd-comment-header'><div class='wpd-comment-author'><a href='#'>{author}</a></div>"
            f"<div class='wpd-comment-date' title='{title}'>7 years ago</div></div>"
            f"<div class='wpd-comment-text'><p>{text}</p></div>"
            f"<div class='wpd-comment-footer'>3 Reply</div></div></div>{inside}</div>"
        )

    answer = comment("13_12", 2, "Ben", "November 18, 2016 12:10 am", "Two.")
    thread = parse_thread(
        "<h1>Title</h1><div id='wpd-threads' class='wpd-thread-wrapper'><div class='wpd-thread-list'>"
        + comment("12_0", 1, "Ana", "November 17, 2016 8:51 pm", "One.", answer)
        + comment("14_0", 1, "Cy", "", "Three.")
        + "</div></div>"
    )
    assert [(c.id, c.author, c.date, c.parent, c.text) for c in thread.comments] == [
        ("12", "Ana", datetime(2016, 11, 17, 20, 51), None, "One."),
        ("13", "Ben", datetime(2016, 11, 18, 0, 10), "12", "Two."),
        ("14", "Cy", None, None, "Three."),
    ]
    assert thread.comments[2].date_text == "7 years ago"


def test_items_that_have_nothing_but_a_number() -> None:
    thread = parse_thread(
        "<h1>Title</h1><ul><li id='li-comment-7'><b>Ana</b> on November 17, 2016 at 8:51 pm said:<p>One.</p>"
        "<ul><li id='comment-8'><p>Ben says:</p><p>November 18, 2016 at 12:10 am</p><p>Two.</p></li></ul>"
        "</li><li id='comment-9'><p>I was there on a Friday.</p></li></ul>"
    )
    assert [(c.id, c.author, c.date, c.parent, c.text) for c in thread.comments] == [
        ("7", "Ana", datetime(2016, 11, 17, 20, 51), None, "One."),
        ("8", "Ben", datetime(2016, 11, 18, 0, 10), "7", "Two."),
        ("9", None, None, None, "I was there on a Friday."),
    ]


def test_nesting_ten_thousand_deep_is_read() -> None:
    deep = "<div>" * 10_000
    thread = parse_thread(f"<h1>Title</h1><ol class='comment-list'><li id='comment-1'>{deep}Hello.</li></ol>")
    assert [comment.text for comment in thread.comments] == ["Hello."]


def test_an_article_without_comments(pages: Path) -> None:
    html = (pages / "bike-lane.html").read_text(encoding="utf-8")
    with pytest.raises(NoCommentsError, match="no comments found"):
        parse_thread(html.split('<div id="comments"')[0])


def test_html_of_something_else() -> None:
    with pytest.raises(ThreadFormatError, match="nothing recognised"):
        parse_thread("<html><body><ul><li>eggs</li></ul></body></html>")
