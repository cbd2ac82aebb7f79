"""An address gives its query again, and what cannot be one is refused by its name."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.explorer.parameters import BadParameter, Query, Reader, parse_query


def asked(text: str) -> Query:
    return parse_query(Reader(text.encode()))


@given(
    st.builds(
        Query,
        q=st.text("净利&=+%# \n\0é\u202e😀", max_size=8),
        where=st.sampled_from(["all", "title", "lead", "text"]),
        first_day=st.none() | st.dates(date(2021, 1, 1), date(2021, 6, 1)),
        last_day=st.none() | st.dates(date(2021, 7, 1), date(2022, 6, 1)),
        split=st.lists(st.sampled_from(["train", "test"]), unique=True).map(tuple),
        publisher=st.lists(st.text("望山&=+%é", min_size=1), unique=True, max_size=3).map(tuple),
        code=st.lists(st.text("0123", min_size=1), unique=True, max_size=3).map(tuple),
        kind=st.sampled_from(["", "flash", "article"]),
        cluster=st.sampled_from(["any", "copies", "single"]),
        sort=st.sampled_from(["", "oldest", "longest"]),
        view=st.sampled_from(["list", "table"]),
        page=st.integers(1, 10**6),
        window=st.integers(10, 60),
        share=st.booleans(),
    )
)
def test_an_address_gives_its_query_again(query: Query) -> None:
    assert asked(query.encode().removeprefix("?")) == query


def test_empty_fields_of_a_form_are_no_filters() -> None:
    assert asked("q=&from=&to=&split=&publisher=&sort=&page=&in=") == Query()
    assert asked("view=context&q=a&sort=1L").sort == "1L"
    assert asked("view=list&q=a&sort=1L").sort == ""
    assert asked("sort=newest") == Query()


def test_filters_can_be_dropped_one_by_one() -> None:
    query = asked("q=a&split=train&split=test&from=2022-01-01&page=7")
    assert [(name, value, rest) for name, _, value, rest in query.filters()] == [
        ("q", "a", "?from=2022-01-01&split=train&split=test"),
        ("from", "2022-01-01", "?q=a&split=train&split=test"),
        ("split", "train", "?q=a&from=2022-01-01&split=test"),
        ("split", "test", "?q=a&from=2022-01-01&split=train"),
    ]


def test_too_many_parameters() -> None:
    with pytest.raises(BadParameter, match="more than 200"):
        Reader(b"&".join(b"code=1" for _ in range(300)))
