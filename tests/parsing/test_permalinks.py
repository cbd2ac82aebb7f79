"""Addresses by Jekyll's rules. `test_front_matter_against_jekyll` compares them with Jekyll itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.parsing.permalinks import NO_PERMALINK, Addressed, permalink_of, post_template

POST = Addressed(
    "x/_posts/2021-01-03-My--Post_1.md",
    "My--Post_1",
    ("News & more", "甲", "甲"),
    datetime(2021, 1, 3, 4, 5, 6, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("style", "address"),
    [
        (None, "/news%20&%20more/%E7%94%B2/2021/01/03/My-Post_1.html"),
        ("date", "/news%20&%20more/%E7%94%B2/2021/01/03/My-Post_1.html"),
        ("pretty", "/news%20&%20more/%E7%94%B2/2021/01/03/My-Post_1/"),
        ("ordinal", "/news%20&%20more/%E7%94%B2/2021/003/My-Post_1.html"),
        ("weekdate", "/news%20&%20more/%E7%94%B2/2021/W53/Sun/My-Post_1.html"),
        ("none", "/news%20&%20more/%E7%94%B2/My-Post_1.html"),
        ("/:w_year/:week/:short_day/:slug", "/2020/53/Sun/my-post-1"),
        (":year-:i_month-:i_day-:hour:minute:second", "/2021-1-3-040506"),
        ("/:month_:day/../a//:name:output_ext", "/01_03/a/2021-01-03-my-post-1.html"),
        ("/:slugified_categories/:short_year/:long_month/:long_day/", "/news-more/%E7%94%B2/21/January/Sunday/"),
        ("/:path", "/x/2021-01-03-My--Post_1"),
    ],
)
def test_templates(style: str | None, address: str) -> None:
    assert permalink_of(POST, post_template(style), None) == address


@pytest.mark.parametrize(
    ("own", "address"),
    [
        ("/about.htm", "/about.htm"),
        ("a/:title:output_ext", "/a/My-Post_1.html"),
        ("/a:output_ext/", "/a.html/"),
        ("pretty", "/pretty"),
        ("", "/"),
        ("/:nothing/", None),
    ],
)
def test_the_front_matter_goes_first(own: str, address: str | None) -> None:
    assert permalink_of(POST, "/:title", own) == address == permalink_of(POST, NO_PERMALINK, own)


def test_what_cannot_be_known() -> None:
    undated = POST._replace(date=None)
    assert permalink_of(POST, NO_PERMALINK, None) is None
    assert permalink_of(POST, "/:author/:title", None) is None
    assert permalink_of(undated, post_template("date"), None) is None
    assert permalink_of(undated, post_template("none"), None) == "/news%20&%20more/%E7%94%B2/My-Post_1.html"


def test_a_template_that_repeats_a_long_value_is_no_address() -> None:
    long = POST._replace(slug="a" * 100_000)
    begun = time.process_time()
    assert permalink_of(long, ":title" * 1_000, None) is None
    assert permalink_of(POST, "x", ":title" * 40_000) is None
    assert (
        permalink_of(POST._replace(categories=["c" * 20] * 10_000), "/" + ":slugified_categories" * 300, None)
        is not None
    )
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(("path", "extension"), [("a.MKD", ".html"), ("a.htm", ".htm"), ("a.b.txt", ".txt"), ("a", "")])
def test_the_extension_of_the_page(path: str, extension: str) -> None:
    assert permalink_of(POST._replace(path=path), "/x:output_ext", None) == f"/x{extension}"


@given(st.text(max_size=20), st.lists(st.text(max_size=9), max_size=3), st.text(max_size=20))
def test_an_address_is_ascii_apart_from_the_template(slug: str, categories: list[str], path: str) -> None:
    post = Addressed(f"_posts/{path}", slug, categories, None)
    found = permalink_of(post, "/:categories/:title/:slug/:name:output_ext", None)
    assert found is not None and found.startswith("/") and "//" not in found
    if "." not in path:
        assert found.isascii()
