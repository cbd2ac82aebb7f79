"""Front matter that is read line by line: the archive's own, and what is not YAML."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.parsing.front_matter_lines import rescue

from .headers import other, own


@pytest.mark.parametrize(
    ("written", "title", "issue"),
    [
        ('"美联储"鹰派"表态"', '美联储"鹰派"表态', "front-matter-lenient"),
        ('""双碳"目标"', '"双碳"目标', "front-matter-lenient"),
        (r'"A\股"', r"A\股", "front-matter-lenient"),
        ('"收盘\\"', "收盘\\", "front-matter-lenient"),
        (r'"C:\new"', r"C:\new", "front-matter-lenient"),
        ('"上\n下"', "上 下", "title-multiline"),
        ('"上\n---\n下"', "上 --- 下", "title-multiline"),
        ('"上\r下"', "上 下", "title-multiline"),
        ('"上\u2028下"', "上 下", "title-multiline"),
        ('"上\x07下"', "上下", "control-characters"),
        ('"上\x00下"', "上下", "control-characters"),
        ('""', "", "title-empty"),
        ('"未完', "未完", "front-matter-lenient"),
        ("", "", "title-empty"),
        ('"a: b # c"', "a: b # c", None),
        ('"　两端　"', "　两端　", None),
    ],
)
def test_the_title_is_what_is_between_its_first_and_last_quote(written: str, title: str, issue: str | None) -> None:
    header = own(title=written)
    assert header.title == title
    assert issue in header.issues if issue else header.issues == ()
    assert header.tags == ("晨报新闻",)


@pytest.mark.parametrize(
    ("written", "issue"),
    [
        ("@新闻", "front-matter-lenient"),
        ('"界面"新闻', "front-matter-lenient"),
        ("a: b新闻", "front-matter-lenient"),
        ("甲 #乙新闻", "front-matter-lenient"),
        ("*星新闻", "front-matter-lenient"),
        ("[甲]新闻", "front-matter-lenient"),
        ("36", "value-not-text"),
        ("NO", "value-not-text"),
        ("2022-01-01", "value-not-text"),
        ("两  个空格", None),
        ("每日新闻新闻", None),
        ("TechWeb", None),
    ],
)
def test_a_category_and_a_tag_are_one_name_each(written: str, issue: str | None) -> None:
    header = own(categories=written, tags=written)
    assert header.categories == header.tags == (written,)
    assert header.issues == ((issue,) if issue else ())
    assert json.loads(header.front_matter)["tags"] == written


_WORDS = st.one_of(
    st.text(st.sampled_from("abNOyes新闻 -_.:#'\"[]{}&*!|>%@`0123　·（）/~"), max_size=12),
    st.sampled_from(["NO", "yes", "null", "off", "~", "1.10", "每日  新闻", "a - b", "a &b"]),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("\"\\#: -[]{}&*!|>%@`'新闻ABC股，\n"), min_size=1, max_size=20), _WORDS)
def test_a_title_of_the_archive_is_never_lost(title: str, tag: str) -> None:
    """The title is everything between the quotes, with line breaks as blanks."""
    if re.search(r"^(?:date:|---|\.\.\.)", title, re.MULTILINE):
        return
    header = own(title=f'"{title}"', tags=tag)
    assert header.title == re.sub(r"[ \t]*\n+[ \t]*", " ", title)
    assert header.tags == ((tag.strip(" \t"),) if tag.strip(" \t") else ())


@pytest.mark.parametrize(
    ("front", "title", "tags"),
    [
        ("title: a: b\ntags: [x, y]", "a: b", ("x", "y")),
        ("title: @a\ntags: x y", "@a", ("x", "y")),
        ('title: "a" b\ntags: x', '"a" b', ("x",)),
        ('title: "a" and "b"\ntags: x', '"a" and "b"', ("x",)),
        ('title: "a"b"c"\ntags: x', 'a"b"c', ("x",)),
        ("title: 'it's'\ntags: x", "it's", ("x",)),
        ('title: "a\ntags: x', "a", ("x",)),
        ("title: [a] b\ntags: [x, y", "[a] b", ("x", "y")),
        ("title:a\ntags:x y", "a", ("x", "y")),
        ("layout: x\n title: a\n\ttags: x", "a", ("x",)),
        ("title: a\nkeywords:b, c\ntags: x", "a", ("x",)),
        ("title: *a*\ntags:\n\t- x\n\t- y", "*a*", ("x", "y")),
        ("title: a: b\nimage:\n  title: c\ntags: x", "a: b", ("x",)),
        ("title: a: b\n  c d\ntags: x", "a: b c d", ("x",)),
    ],
)
def test_front_matter_that_is_not_yaml_is_read_line_by_line(front: str, title: str, tags: tuple[str, ...]) -> None:
    header = other(front)
    assert (header.title, header.tags) == (title, tags)
    assert "front-matter-lenient" in header.issues


def test_keys_are_read_as_yaml_where_they_are_yaml() -> None:
    found = rescue("title: a: b\ntags:\n- x\n- y\ndate: 'z'\ntitle: c")
    assert found is not None
    assert found[0] == {"title": "c", "tags": ["x", "y"], "date": "z"}
    assert found[1] == ("front-matter-lenient", "duplicate-key")


@pytest.mark.parametrize(
    "front",
    [
        "words",
        "x: y",
        "title: a\n<<<<<<< HEAD\n",
        "title: @a\nstray words",
        'x: b\ntitle: "a',
        "title: a\n" + "#" * 16_384,
    ],
)
def test_lines_with_an_uncertain_meaning_are_not_read(front: str) -> None:
    assert rescue(front) is None
