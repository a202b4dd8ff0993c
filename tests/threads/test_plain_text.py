from datetime import datetime
from pathlib import Path

import pytest

from app.threads import NoCommentsError, Thread, ThreadFormatError, parse_thread, read_thread
from data.examples import ExampleThread

HEAD = "The Title\n\nFirst paragraph.\n\nSecond paragraph.\n\n"


def thread(comments: str, heading: str = "2 thoughts on “The Title”") -> Thread:
    return parse_thread(f"{HEAD}{heading}\n\n{comments}\n")


def told(comments: str) -> list[tuple[str | None, datetime | None, str]]:
    return [(comment.author, comment.date, comment.text) for comment in thread(comments).comments]


def test_the_page_that_started_it(seed_thread: Path) -> None:
    page = read_thread(seed_thread)
    assert page.kind == "text"
    assert page.title.startswith("Russia: Decision")
    assert page.title.endswith("International Justice")
    assert len(page.text.split("\n\n")) == 7
    first, second = page.comments
    assert (first.date, second.date) == (datetime(2016, 11, 17, 20, 51), datetime(2016, 11, 18, 0, 10))
    assert second.date_text == "November 18, 2016 at 12:10 am"
    assert second.text.startswith("Disagree")
    assert len(second.text.split("\n")) == 4
    assert (first.author, first.parent, second.parent) == (None, None, None)
    everything = page.text + first.text + second.text
    assert "Leave a Reply" not in everything
    assert "email address" not in everything
    assert "thoughts on" not in everything


def test_a_bulleted_page_with_replies(pages: Path, examples: dict[str, ExampleThread]) -> None:
    page, example = read_thread(pages / "bike-lane.txt"), examples["bike-lane"]
    assert (page.kind, page.title, page.text) == ("text", example.article.title, example.article.text)
    originals = {comment.text: comment for comment in example.comments}
    ids = {comment.id: originals[comment.text].id for comment in page.comments}
    assert len(ids) == len(originals)
    for comment in page.comments:
        original = originals[comment.text]
        assert comment.author == original.author
        assert comment.date == original.date.replace(tzinfo=None)
        assert (ids[comment.parent] if comment.parent else None) == original.parent


def test_a_flat_page_without_bullets(pages: Path, examples: dict[str, ExampleThread]) -> None:
    page, example = read_thread(pages / "hospital-merger.txt"), examples["hospital-merger"]
    assert page.title == example.article.title.replace("'", "\u2019")
    assert page.text == example.article.text
    assert [comment.author for comment in page.comments] == [comment.author for comment in example.comments]
    assert [comment.text for comment in page.comments] == [comment.text for comment in example.comments]
    assert all(comment.parent is None for comment in page.comments)


@pytest.mark.parametrize(
    "heading",
    [
        "2 thoughts on “The Title",
        "One thought on “The Title”",
        "1 Comment",
        "12 Comments",
        "Comments",
        "Comments (2)",
        '2 Responses to "The Title"',
        "2 Replies to “The Title”",
        "2 comments on 'The Title'",
        "Ein Gedanke zu „The Title“",
        "2 Gedanken zu „The Title“",
        "## 2 thoughts on “The Title”",
        "2 Comments Add yours",
        "3 Comments so far",
        "2 Responses »",
        "Two thoughts on “The Title”",
        "Twelve thoughts on “The Title”",
        "2 réflexions sur « The Title »",
        "Une réflexion sur «\xa0The Title\xa0»",
        "3 commentaires",
        "2 comentarios en «The Title»",
        "Un pensamiento en “The Title”",
    ],
)
def test_headings(heading: str) -> None:
    page = thread("  • November 17, 2016 at 8:51 pm\n\n    Hello.", heading)
    assert (page.title, page.text) == ("The Title", "First paragraph.\n\nSecond paragraph.")
    assert [comment.text for comment in page.comments] == ["Hello."]


@pytest.mark.parametrize(
    ("opening", "author"),
    [
        ("• November 17, 2016 at 8:51 pm", None),
        ("* November 17, 2016 at 8:51 pm Reply", None),
        ("- November 17, 2016 at 8:51 pm", None),
        ("November 17, 2016 at 8:51 pm", None),
        ("• Ana B. says:\nNovember 17, 2016 at 8:51 pm", "Ana B."),
        ("Ana B. says:\n\nNovember 17, 2016 at 8:51 pm (Edit)", "Ana B."),
        ("Ana B.\nNovember 17, 2016 at 8:51 pm", "Ana B."),
        ("•\nAna B. says:\nNovember 17, 2016 at 8:51 pm", "Ana B."),
        ("1. Ana B. says:\nNovember 17, 2016 at 8:51 pm", "Ana B."),
        ("Ana B. on November 17, 2016 at 8:51 pm said:", "Ana B."),
        ("On November 17, 2016 at 8:51 pm Ana B. said:", "Ana B."),
        ("• Ana B. \u2013 November 17, 2016 at 8:51 pm", "Ana B."),
        ("• Ana B. (November 17, 2016 at 8:51 pm)", "Ana B."),
        ("Ana B. // November 17, 2016 at 8:51 pm // Reply", "Ana B."),
        ("Ana B.'s avatar Ana B. says:\nNovember 17, 2016 at 8:51 pm", "Ana B."),
        ("• Ana B.’s avatar\nAna B. says:\nNovember 17, 2016 at 8:51 pm", "Ana B."),
        ("• Ana B. dit :\n17 novembre 2016 à 20 h 51 min", "Ana B."),
        ("• Ana B. dice:\n17 de noviembre de 2016 a las 20:51", "Ana B."),
    ],
)
def test_openings_of_a_comment(opening: str, author: str | None) -> None:
    assert told(f"{opening}\n\nHello.\nReply") == [(author, datetime(2016, 11, 17, 20, 51), "Hello.")]


def test_a_text_in_the_line_of_its_opening() -> None:
    assert told("On November 17, 2016 at 8:51 pm Ana said: Hello.")[0][2] == "Hello."


def test_dates_without_a_time_open_comments_below_who_says_or_where_they_repeat() -> None:
    day, next_day = datetime(2024, 5, 1), datetime(2024, 5, 2)
    assert told("Ana says:\nMay 1, 2024\n\nHello.") == [("Ana", day, "Hello.")]
    assert told("Ana\nMay 1, 2024\n\nHello.\n\nReply\n\nBen\nMay 2, 2024\n\nBye.\nIt was\nMay 3, 2024") == [
        ("Ana", day, "Hello."),
        ("Ben", next_day, "Bye.\nIt was\nMay 3, 2024"),
    ]
    assert told("Ana\nMay 1, 2024 at 1:00 pm\n\nSigned\n\nCy\nMay 2, 2024\n\nDi\nMay 3, 2024") == [
        ("Ana", datetime(2024, 5, 1, 13), "Signed\n\nCy\nMay 2, 2024\n\nDi\nMay 3, 2024")
    ]


def test_a_quoted_comment_does_not_split_the_one_that_quotes_it() -> None:
    ((author, _, text),) = told(
        "• Ana says:\n  May 2, 2024 at 1:00 pm\n\n"
        "  Ben wrote:\n  May 1, 2024 at 3:00 pm\n  Nonsense.\n\n  I agree."
    )
    assert (author, text) == ("Ana", "Ben wrote:\nMay 1, 2024 at 3:00 pm\nNonsense.\n\nI agree.")


def test_buttons_below_a_comment_are_left_out() -> None:
    buttons = "Like\n\nLikeLike\n\nLiked by 2 people\n\nLog in to Reply\n\n"
    comments = told(
        f"Ana says:\nMay 1, 2024 at 1:00 pm\n\nI like it.\n\n{buttons}Ben's avatar\n\n"
        f"Ben says:\nMay 2, 2024 at 1:00 pm\n\nMe too.\n\n{buttons}"
    )
    assert [text for _, _, text in comments] == ["I like it.", "Me too."]


def test_indentation_makes_replies() -> None:
    page = thread(
        "• Ana says:\n  May 1, 2024 at 1:00 pm\n  One.\n"
        "    ◦ Ben says:\n      May 1, 2024 at 2:00 pm\n      Two.\n"
        "        ▪ Cy says:\n          May 1, 2024 at 3:00 pm\n          Three.\n"
        "    ◦ Di says:\n      May 1, 2024 at 4:00 pm\n      Four.\n"
        "• Ed says:\n  May 1, 2024 at 5:00 pm\n  Five."
    )
    assert [comment.parent for comment in page.comments] == [None, "c1", "c2", "c1", None]
    assert [depth for depth, _ in page.in_reading_order()] == [0, 1, 2, 1, 0]


def test_what_only_looks_like_an_opening_stays_in_the_text() -> None:
    page = thread(
        "  • May 1, 2024 at 1:00 pm\n\n    It was agreed on\n    May 2, 2024 at 3:00 pm\n    - first point\n"
        "    - second point\n    and my wife says:\n    never again."
    )
    (comment,) = page.comments
    assert "May 2, 2024" in comment.text
    assert "second point" in comment.text
    assert comment.text.endswith("never again.")


def test_what_is_not_the_reader_s_is_left_out() -> None:
    comments = (
        "← Older Comments\n\n• May 1, 2024 at 1:00 pm\n  Your comment is awaiting moderation.\n\n"
        "  Please reply to this.\n\n  Reply\n• Pingback: Some blog\n  an excerpt\n"
        "• May 1, 2024 at 2:00 pm\n  Second.\n  Log in to Reply\n\nPost navigation\n\n"
        "• May 1, 2024 at 3:00 pm\n  Never."
    )
    assert [text for _, _, text in told(comments)] == ["Please reply to this.", "Second."]


def test_a_date_that_is_not_understood_is_kept_as_text() -> None:
    (comment,) = thread("• Ana says:\n  3 days ago\n  Hello.").comments
    assert (comment.date, comment.date_text, comment.text) == (None, "3 days ago", "Hello.")


def test_menus_above_the_title_and_the_byline_are_no_article() -> None:
    page = parse_thread(
        "Home\nNews\n\nThe \u2018New\u2019 Title\n\nBy Jo Bloggs\n\nOnly paragraph.\n\n"
        "1 thought on “The 'New' Title”\n\n• May 1, 2024 at 1:00 pm\n  Hello."
    )
    assert (page.title, page.text) == ("The \u2018New\u2019 Title", "Only paragraph.")


def test_a_count_in_the_byline_is_not_the_comment_section() -> None:
    page = parse_thread(
        "The Title\n1 Comment\n\nA.\n\nB.\n\nC.\n\nD.\n\nE.\n\n1 Comment\n\n"
        "• May 1, 2024 at 1:00 pm\n  Hello."
    )
    assert page.text.endswith("E.")
    assert [comment.text for comment in page.comments] == ["Hello."]


def test_a_page_that_begins_with_its_comments_takes_the_title_from_the_heading() -> None:
    page = parse_thread("1 thought on “The Title”\n\n• May 1, 2024 at 1:00 pm\n  Hello.")
    assert (page.title, page.text) == ("The Title", "")


@pytest.mark.parametrize("heading", ["No Comments", "0 Comments", "2 thoughts on “The Title”"])
def test_a_page_without_comments(heading: str) -> None:
    with pytest.raises(NoCommentsError, match="no comments found"):
        thread("Leave a Reply\n\nYour email address will not be published.", heading)


def test_prose_is_not_a_thread() -> None:
    with pytest.raises(ThreadFormatError, match="nothing recognised"):
        parse_thread("Dear all,\n\nthe meeting is on May 1, 2024 at 1:00 pm.\n")
