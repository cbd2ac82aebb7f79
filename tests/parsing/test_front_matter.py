"""Front matter: of the archive's posts and of other sites', encodings, and what is rejected."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsdata.parsing import front_matter
from newsdata.parsing.encodings import decode
from newsdata.parsing.front_matter import Header, read_header
from newsdata.parsing.front_matter_fields import NO_FIELDS
from newsdata.schema import ISSUES, REJECT_RULES, Site

from .headers import OTHER, OWN, SHANGHAI, other, own, rejected

# ------------------------------------------------------------------------------------ the archive's posts


def test_a_post_of_the_archive() -> None:
    header = own()
    assert header == Header(
        title="晨光初照",
        published_at=datetime(2022, 5, 30, 14, 0, 29, tzinfo=UTC),
        date_written="2022-05-30 22:00:29 +0800",
        categories=("emnews",),
        tags=("晨报新闻",),
        fields=NO_FIELDS,
        published=True,
        draft=False,
        front_matter='{"layout": "post", "title": "晨光初照", "date": "2022-05-30 22:00:29 +0800", '
        '"categories": "emnews", "tags": "晨报新闻"}',
        body="正文\n",
        invalid_bytes=(),
        body_line=8,
        issues=(),
    )
    assert header.published_at is not None
    assert header.published_at.isoformat() == "2022-05-30T22:00:29+08:00"


def test_an_empty_category_or_tag_is_left_out() -> None:
    assert (own(categories="", tags="").categories, own(tags="").tags) == ((), ())


def test_an_empty_date_is_the_day_of_the_file_name_or_none() -> None:
    header = own(date=" +0800")
    assert header.published_at == datetime(2022, 5, 29, 16, tzinfo=UTC)
    assert (header.date_written, header.issues) == ("+0800", ("date-unreadable",))
    header = own(title='""', date=" +0800", path="_posts/-202205262391921712.md")
    assert header.published_at is None
    assert header.issues == ("title-empty", "date-unreadable", "date-missing")


def test_a_date_without_zone_has_the_zone_of_the_site() -> None:
    header = own(date="2021-12-08 10:46:18")
    assert header.published_at == own(date="2021-12-08 10:46:18 +0800").published_at
    assert header.issues == ("date-without-zone",)


@pytest.mark.parametrize("date", ["2022-02-30 10:00:00 +0800", "2022-05-30 24:61:00 +0800", "昨天"])
def test_an_impossible_date_is_the_day_of_the_file_name(date: str) -> None:
    header = own(date=date)
    assert header.published_at == datetime(2022, 5, 29, 16, tzinfo=UTC)
    assert header.issues == ("date-unreadable",)


def test_blank_lines_before_the_front_matter_are_flagged() -> None:
    data = b'\n\n---\nlayout: post\ntitle: "a"\ndate: 2022-05-30 22:00:29 +0800\ncategories: b\ntags: c\n---\nd'
    header = read_header(data, OWN, SHANGHAI, own_feed=True)
    assert isinstance(header, Header)
    assert (header.title, header.body, header.body_line) == ("a", "d", 10)
    assert header.issues == ("front-matter-leading-blank",)


def test_line_ends_have_no_effect() -> None:
    lf = own(title='"甲"乙"')
    text = '---\nlayout: post\ntitle: "甲"乙"\ndate: 2022-05-30 22:00:29 +0800\ncategories: emnews\n'
    text += "tags: 晨报新闻\n---\n正文\n"
    assert read_header(text.replace("\n", "\r\n").encode(), OWN, SHANGHAI, own_feed=True) == lf
    cr = read_header(text.replace("\n", "\r").encode(), OWN, SHANGHAI, own_feed=True)
    assert cr == lf._replace(issues=("line-ends", *lf.issues))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (b"\0\0\0\0\0\0\0\0", "empty"),
        (b"> \n\n<p>x</p>", "front-matter-missing"),
        (b'---\nlayout: post\ntitle: "a"\n', "front-matter-unclosed"),
        (b"---\n- a\n---\nx", "front-matter-not-a-map"),
    ],
)
def test_files_of_the_archive_that_are_not_posts_are_rejected(data: bytes, rule: str) -> None:
    assert rejected(data, OWN, own_feed=True).rule == rule


_TITLES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters='"\\')),
    st.text(st.sampled_from("\"'\\#:-[]{}&*!|>%@` \t\n\r\0\x85\u2028\ufeff　，股新闻0AN")),
)
_STAMPS = st.one_of(
    st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(lambda day: f"{day} 00:41:23"),
    st.from_regex(r"(?:19|20)\d\d-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d", fullmatch=True),
)
_OFFSETS = st.one_of(
    st.sampled_from(["", " +0800"]),
    st.sampled_from([" +0000", " -0500", " +0930", " +9000", " -0030", "+0800", " +800", " Z"]),
)
_PLAIN_WORDS = st.one_of(
    st.sampled_from(["emnews", "每日  新闻", "NO", "off", "a - b", "a &b", "Null", "A.B"]),
    st.from_regex(front_matter._NAME, fullmatch=True, alphabet=st.characters(codec="utf-8")),
)


@settings(max_examples=100, deadline=None)
@given(
    _TITLES,
    _STAMPS,
    _OFFSETS,
    _PLAIN_WORDS,
    _PLAIN_WORDS,
    st.sampled_from(["", "\n", "\n\n"]),
    st.text(max_size=9),
)
@example("晨光", "2022-05-30 22:00:29", " +0800", "emnews", "晨报新闻", "", "正文")
@example("", "1991-09-15 01:30:00", "", "a", "b", "\n", "")
@example("晨光", "1988-04-17 02:30:00", "", "a", "b", "", "---\n")
def test_the_usual_form_is_read_as_yaml_reads_it(
    title: str, stamp: str, offset: str, category: str, tag: str, lead: str, body: str
) -> None:
    text = (
        f'{lead}---\nlayout: post\ntitle: "{title}"\ndate: {stamp}{offset}\n'
        f"categories: {category}\ntags: {tag}\n---\n{body}"
    )
    data = text.encode("utf-8", "surrogatepass")
    usual = front_matter._read_usual_form(data, OWN, SHANGHAI)
    if usual is not None:
        text, issues, fault = decode(data)
        assert fault is None
        assert usual == front_matter._read(front_matter._File(data, OWN, SHANGHAI, True), text, list(issues))
        by_yaml = read_header(data, OWN, SHANGHAI, own_feed=False)
        categories = tuple(dict.fromkeys(category.split()))
        assert isinstance(by_yaml, Header)
        assert by_yaml._replace(fields=NO_FIELDS) == usual._replace(categories=categories, tags=tuple(tag.split()))
        assert json.loads(usual.front_matter)["title"] == title


# ------------------------------------------------------------------------------------ other sites' posts


@pytest.mark.parametrize("written", ["", "~"])
def test_a_missing_title_is_made_from_the_slug(written: str) -> None:
    header = other(f"title: {written}")
    assert (header.title, "title-from-slug" in header.issues) == ("A Tale Of Two", True)


def test_folders_above_posts_are_categories() -> None:
    assert other("category: c", "a/b/_posts/d/2020-01-01-x.md").categories == ("a", "b", "c")
    assert other("category: a", "a/old_post/2020-01-01-x.md").categories == ("a",)
    assert other("", "content/a/_posts/2020-01-01-x.md", Site(collections_dir="content")).categories == ("a",)


def test_defaults_of_the_site_apply() -> None:
    values = {"title": "T", "categories": "a b", "tags": ["t"], "published": False, "date": "2001-02-03"}
    site = Site(defaults=(("", "posts", values),))
    header = other("categories: c", site=site)
    assert header.title == "T"
    assert header.categories == ("a", "b", "c")
    assert (header.tags, header.published) == (("t",), False)
    assert header.published_at == datetime(2001, 2, 3, tzinfo=UTC)
    header = other("title: mine\ntags: [x]\npublished: true\ndate: 2010-01-01 00:00:00 Z", site=site)
    assert (header.title, header.tags, header.published) == ("mine", ("x",), True)
    assert json.loads(header.front_matter) == {
        "title": "mine",
        "tags": ["x"],
        "published": "true",
        "date": "2010-01-01 00:00:00 Z",
    }


@pytest.mark.parametrize(("written", "published"), [("false", False), ("no", False), ('"false"', True), ("", True)])
def test_published_false_is_read(written: str, published: bool) -> None:
    header = other(f"published: {written}")
    assert (header.published, "unpublished" in header.issues) == (published, not published)


def test_a_draft_is_told_by_its_front_matter_or_folder() -> None:
    assert other("draft: true").draft
    assert not other("draft: false").draft
    header = other("", "_drafts/a-b.md")
    assert (header.draft, header.title, header.published_at) == (True, "A B", None)
    assert {"draft", "date-missing"} <= set(header.issues)


def test_the_raw_front_matter_is_kept_in_written_order() -> None:
    header = other(
        "z: 1\na: [x, {y: 0755}]\nz: 2\nt: !custom v\nr: *q\nq: &q 1".replace("r: *q\nq: &q 1", "q: &q 1\nr: *q")
    )
    assert header.front_matter == '{"z": "2", "a": ["x", {"y": "0755"}], "t": "v", "q": "1", "r": "*q"}'
    assert "duplicate-key" in header.issues


@pytest.mark.parametrize(
    ("front", "rule", "line"),
    [
        ("title: a\nprose\n\nmore: b: c", "front-matter-unreadable", 5),
        ("<<<<<<< HEAD\ntitle: a\n=======\ntitle: b\n>>>>>>> c", "front-matter-unreadable", 3),
        ("a: b: c", "front-matter-unreadable", 2),
        ("- a\n- b", "front-matter-not-a-map", 2),
        ("just words", "front-matter-not-a-map", 2),
        ("a: !!python/object/apply:os.system [id]", "front-matter-hostile", None),
        ("a: !ruby/object:Gem {}", "front-matter-hostile", None),
    ],
)
def test_front_matter_with_an_uncertain_meaning_is_rejected(front: str, rule: str, line: int | None) -> None:
    reject = rejected(f"---\n{front}\n---\nText".encode())
    assert (reject.rule, reject.line) == (rule, line), reject


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"---\ntitle: a\n\nText", "front-matter-unclosed"),
        (b"title: a\n---\nText", "front-matter-missing"),
        (b"\xff\xfe---", "encoding"),
        ("---\ntitle: 中文\n---\n正文".encode("gb18030"), "encoding"),
        ("---\ntitle: a\n---\n".encode("utf-16-le") + b"\0", "encoding"),
    ],
)
def test_files_of_other_sites_that_cannot_be_read_are_rejected(data: bytes, rule: str) -> None:
    assert rejected(data).rule == rule


def test_a_data_file_is_rejected() -> None:
    assert rejected(b"---\ntitle: a\n---\n", "_posts/2020-01-01-a.yml").rule == "data-file"


def test_a_file_without_front_matter_is_a_post_only_if_its_name_says_so() -> None:
    header = read_header(b"# Head\n\nText", OTHER, Site(), own_feed=False)
    assert isinstance(header, Header)
    assert (header.title, header.body, header.body_line) == ("A Tale Of Two", "# Head\n\nText", 1)
    assert header.issues == ("front-matter-missing", "title-from-slug", "date-from-name")
    assert rejected(b"# Head", "_posts/README.md").rule == "front-matter-missing"


@pytest.mark.parametrize(
    ("data", "title", "issue"),
    [
        (b"\xef\xbb\xbf---\ntitle: a\n---\nx", "a", "bom"),
        ("---\ntitle: 甲\n---\nx".encode("utf-16"), "甲", "encoding-utf-16"),
        ("---\ntitle: 甲\n---\nx".encode("utf-16-be").join([b"\xfe\xff", b""]), "甲", "encoding-utf-16"),
        ("---\ntitle: 甲\n---\nx".encode("utf-16-be"), "甲", "encoding-utf-16"),
        (
            "---\ntitle: 月报\n---\n某公司昨日表示，全年订单比去年多两成，工厂已经满产，明年还要扩建厂房，市场预计下半年需求会继续增加。".encode(
                "gbk"
            ),
            "月报",
            "encoding-guessed",
        ),
        ("---\ntitle: it\x92s\n---\nx".encode(), "it’s", "windows-1252"),
        (b"---\ntitle: a\xff\n---\n" + b"x" * 200, "a\ufffd", "encoding-invalid"),
        (b"---\ntitle: a\n---\nx\0" + b"x" * 200, "a", "control-characters"),
        (b"---\ntitle: a\x08\n---\nx", "a", "control-characters"),
        (b"---\ntitle: a\n...\nx", "a", None),
        (b"---  \ntitle: a\n--- \t\nx", "a", None),
    ],
)
def test_encodings_and_unusual_marks_are_read(data: bytes, title: str, issue: str | None) -> None:
    header = read_header(data, OTHER, Site(), own_feed=False)
    assert isinstance(header, Header)
    assert header.title == title
    assert set(header.issues) == {"date-from-name"} | ({issue} if issue else set())


def test_line_ends_of_the_body_do_not_matter_to_the_usual_form() -> None:
    front = (
        '---\nlayout: post\ntitle: "甲"\ndate: 2022-01-05 08:00:00 +0800\ncategories: mouribao\ntags: 某日报新闻\n---\n'
    )
    with_defaults = Site(timezone=SHANGHAI.timezone, defaults=(("elsewhere", "", {}),))
    for body in ("<p>一</p>\r\n <p>二</p>\r\n", "一\r二", "it\x92s", "\x00"):
        data = (front + body).encode()
        usual, other = (read_header(data, OWN, site, own_feed=True) for site in (SHANGHAI, with_defaults))
        assert usual == other, body
    data = (front + "<p>一</p>\r\n <p>二</p>\r\n").encode()
    header = front_matter._read_usual_form(data, OWN, SHANGHAI)
    assert header is not None
    assert header.body == "<p>一</p>\n <p>二</p>\n"


def test_the_body_is_kept_as_it_is() -> None:
    header = read_header(b"---\ntitle: a\n---\n\n    code\n---\nb  \n", OTHER, Site(), own_feed=False)
    assert isinstance(header, Header)
    assert (header.body, header.body_line) == ("\n    code\n---\nb  \n", 4)


# ----------------------------------------------------------------------------------------- hostile posts


_LINES = ["---\n", "...\n", "title: ", "date: ", "tags: ", "categories: ", "layout: post\n", "2015-02-30"]
_PIECES = st.sampled_from([*_LINES, *"\n\"'\\[]{}#\t\r\0\ufeff\u2028x", ": ", "- ", "&a ", "*a", "!x ", "<<: "])


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=120) | st.lists(_PIECES, max_size=40).map(lambda p: ("---\n" + "".join(p)).encode()),
    st.booleans(),
)
def test_no_bytes_raise_an_error(data: bytes, own_feed: bool) -> None:
    for path in (OWN, "_drafts/x", "a/_posts/2020-13-45-.md"):
        found = read_header(data, path, SHANGHAI, own_feed=own_feed)
        if isinstance(found, Header):
            assert set(found.issues) <= set(ISSUES)
            assert isinstance(json.loads(found.front_matter), dict)
            found.title.encode(), found.body.encode()
            assert found.published_at is None or found.published_at.tzinfo is not None
        else:
            assert found.rule in REJECT_RULES
