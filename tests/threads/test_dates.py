from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.threads.dates import find_date, parse_date

EVENING = datetime(2016, 11, 17, 20, 51)


@pytest.mark.parametrize(
    "text",
    [
        "November 17, 2016 at 8:51 pm",
        "November 17, 2016 at 8:51 PM",
        "Nov 17, 2016 8:51 p.m.",
        "Nov. 17th, 2016 @ 8:51pm",
        "Thursday, November 17, 2016 at 8:51 pm",
        "17 November 2016 at 20:51",
        "17th of November 2016, 20:51",
        "17. November 2016 um 20:51 Uhr",
        "17/11/2016 at 8:51 pm",
        "11/17/2016 8:51 pm",
        "17.11.2016, 20:51",
        "2016/11/17 at 20:51",
        "2016-11-17 20:51",
        "2016-11-17T20:51:00",
        "17 novembre 2016 à 20 h 51 min",
        "17 novembre 2016 à 20:51",
        "17 noviembre, 2016 a las 8:51 pm",
        "17 de noviembre de 2016 a las 20:51",
    ],
)
def test_every_way_of_writing_one_moment(text: str) -> None:
    assert parse_date(text) == EVENING


@pytest.mark.parametrize(
    ("text", "hour"), [("12:10 am", 0), ("12:10 pm", 12), ("1:10 am", 1), ("11:10 pm", 23), ("0:10", 0)]
)
def test_midnight_and_noon(text: str, hour: int) -> None:
    assert parse_date(f"November 18, 2016 at {text}") == datetime(2016, 11, 18, hour, 10)


def test_german_months() -> None:
    assert parse_date("3. März 2021 um 9:05 Uhr") == datetime(2021, 3, 3, 9, 5)
    assert parse_date("24. Dezember 2020") == datetime(2020, 12, 24)


def test_french_and_spanish_months_that_begin_alike() -> None:
    for month, text in enumerate(["juin", "juillet", "août"], start=6):
        assert parse_date(f"1er {text} 2020") == datetime(2020, month, 1)
    for month, text in enumerate(["marzo", "abril", "mayo", "junio", "julio", "agosto"], start=3):
        assert parse_date(f"1 {text}, 2020") == datetime(2020, month, 1)


def test_an_offset_is_kept_and_none_is_made_up() -> None:
    assert parse_date("2016-11-17T20:51:00Z") == EVENING.replace(tzinfo=UTC)
    two = timezone(timedelta(hours=2))
    assert parse_date("2016-11-17T20:51:00+02:00") == EVENING.replace(tzinfo=two)
    naive = parse_date("November 17, 2016 at 8:51 pm")
    assert naive is not None
    assert naive.tzinfo is None


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2016 at 8:51 pm",
        "February 31, 2016 at 8:51 pm",
        "November 17, 2016 at 13:51 pm",
        "November 17, 2016 at 25:00",
        "3 days ago",
        "once upon a time",
        "",
    ],
)
def test_what_is_ambiguous_or_impossible_is_not_guessed(text: str) -> None:
    assert parse_date(text) is None


def test_a_date_is_found_within_a_line() -> None:
    found = find_date("Renske on November 17, 2016 at 8:51 pm said:")
    assert found is not None
    assert (found.text, found.value) == ("November 17, 2016 at 8:51 pm", EVENING)
    relative = find_date("posted 3 days ago")
    assert relative is not None
    assert (relative.text, relative.value) == ("3 days ago", None)
    assert find_date("call 17/11 or 2016 times") is None


@given(
    st.datetimes(min_value=datetime(1990, 1, 1)).map(lambda moment: moment.replace(second=0, microsecond=0))
)
def test_what_wordpress_prints_is_read_back(moment: datetime) -> None:
    names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    name, half = names[moment.month - 1], "am" if moment.hour < 12 else "pm"
    time = f"{(moment.hour - 1) % 12 + 1}:{moment.minute:02d} {half}"
    assert parse_date(f"{name} {moment.day}, {moment.year} at {time}") == moment
    assert parse_date(f"{moment.day}. {name} {moment.year}, {moment.hour}:{moment.minute:02d}") == moment
