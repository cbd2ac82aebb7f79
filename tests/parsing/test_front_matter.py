"""Reading front matter: the archive's posts, broken ones, other sites', hostile ones."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsdata.parsing import front_matter
from newsdata.parsing.front_matter import Header, read_header
from newsdata.schema import ISSUES, REJECT_RULES, Reject, Site

SHANGHAI = Site(timezone="Asia/Shanghai")
OWN = "_posts/2022-05-30-202205302396671645.md"
OTHER = "_posts/2020-02-03-a-Tale-of-two.md"


def own(
    title: str = '"晨光初照"',
    date: str = "2022-05-30 22:00:29 +0800",
    categories: str = "emnews",
    tags: str = "晨报新闻",
    path: str = OWN,
) -> Header:
    """What is read of a post of the archive's own feeds; `title` with its quotes."""
    front = f"layout: post\ntitle: {title}\ndate: {date}\ncategories: {categories}\ntags: {tags}"
    text = f"---\n{front}\n---\n正文\n"
    header = read_header(text.encode(), path, SHANGHAI, own_feed=True)
    assert isinstance(header, Header), header
    assert header.body == "正文\n"
    return header


def other(front: str, path: str = OTHER, site: Site | None = None) -> Header:
    """What is read of another site's post with these lines of front matter."""
    header = read_header(f"---\n{front}\n---\nText\n".encode(), path, site or Site(), own_feed=False)
    assert isinstance(header, Header), header
    return header


def rejected(data: bytes, path: str = OTHER, *, own_feed: bool = False) -> Reject:
    reject = read_header(data, path, SHANGHAI, own_feed=own_feed)
    assert isinstance(reject, Reject), reject
    assert reject.rule in REJECT_RULES
    assert (reject.sha256, reject.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert len(reject.excerpt or "") <= 200
    return reject


# ------------------------------------------------------------------------------------ the archive's posts


def test_a_post_of_the_archive() -> None:
    header = own()
    assert header == Header(
        title="晨光初照",
        published_at=datetime(2022, 5, 30, 14, 0, 29, tzinfo=UTC),
        date_written="2022-05-30 22:00:29 +0800",
        categories=("emnews",),
        tags=("晨报新闻",),
        published=True,
        draft=False,
        front_matter='{"layout": "post", "title": "晨光初照", "date": "2022-05-30 22:00:29 +0800", '
        '"categories": "emnews", "tags": "晨报新闻"}',
        body="正文\n",
        body_line=8,
        issues=(),
    )
    assert header.published_at is not None
    assert header.published_at.isoformat() == "2022-05-30T22:00:29+08:00"


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
def test_a_title_stands_between_its_first_and_last_quote(written: str, title: str, issue: str | None) -> None:
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


def test_empty_names_are_no_names() -> None:
    assert (own(categories="", tags="").categories, own(tags="").tags) == ((), ())


def test_an_empty_date_is_the_names_day_or_none_and_never_now() -> None:
    header = own(date=" +0800")
    assert header.published_at == datetime(2022, 5, 29, 16, tzinfo=UTC)
    assert (header.date_written, header.issues) == ("+0800", ("date-unreadable",))
    header = own(title='""', date=" +0800", path="_posts/-202205262391921712.md")
    assert header.published_at is None
    assert header.issues == ("title-empty", "date-unreadable", "date-missing")


def test_a_date_without_zone_is_the_sites() -> None:
    header = own(date="2021-12-08 10:46:18")
    assert header.published_at == own(date="2021-12-08 10:46:18 +0800").published_at
    assert header.issues == ("date-without-zone",)


@pytest.mark.parametrize("date", ["2022-02-30 10:00:00 +0800", "2022-05-30 24:61:00 +0800", "昨天"])
def test_an_impossible_date_is_the_names_day(date: str) -> None:
    header = own(date=date)
    assert header.published_at == datetime(2022, 5, 29, 16, tzinfo=UTC)
    assert header.issues == ("date-unreadable",)


def test_blank_lines_before_the_front_matter_are_flagged() -> None:
    data = b'\n\n---\nlayout: post\ntitle: "a"\ndate: 2022-05-30 22:00:29 +0800\ncategories: b\ntags: c\n---\nd'
    header = read_header(data, OWN, SHANGHAI, own_feed=True)
    assert isinstance(header, Header)
    assert (header.title, header.body, header.body_line) == ("a", "d", 10)
    assert header.issues == ("front-matter-leading-blank",)


def test_line_ends_do_not_matter() -> None:
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
def test_what_is_no_post_of_the_archive_is_rejected(data: bytes, rule: str) -> None:
    assert rejected(data, OWN, own_feed=True).rule == rule


_TITLES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters='"\\')),
    st.text(st.sampled_from("\"'\\#:-[]{}&*!|>%@` \t\n\r\0\x85\u2028\ufeff　，股新闻0AN")),
)
_WORDS = st.one_of(
    st.text(st.sampled_from("abNOyes新闻 -_.:#'\"[]{}&*!|>%@`0123　·（）/~"), max_size=12),
    st.sampled_from(["NO", "yes", "null", "off", "~", "1.10", "每日  新闻", "a - b", "a &b"]),
)
_STAMPS = st.one_of(
    st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(lambda day: f"{day} 00:41:23"),
    st.from_regex(r"(?:19|20)\d\d-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d", fullmatch=True),
)
_OFFSETS = st.one_of(
    st.sampled_from(["", " +0800"]),
    st.sampled_from([" +0000", " -0500", " +0930", " +9000", " -0030", "+0800", " +800", " Z"]),
)
_QUICK_WORDS = st.one_of(
    st.sampled_from(["emnews", "每日  新闻", "NO", "off", "a - b", "a &b", "Null", "A.B"]),
    st.from_regex(front_matter._NAME, fullmatch=True, alphabet=st.characters(codec="utf-8")),
)


@settings(max_examples=400, deadline=None)
@given(
    _TITLES,
    _STAMPS,
    _OFFSETS,
    _QUICK_WORDS,
    _QUICK_WORDS,
    st.sampled_from(["", "\n", "\n\n"]),
    st.text(max_size=9),
)
@example("晨光", "2022-05-30 22:00:29", " +0800", "emnews", "晨报新闻", "", "正文")
@example("", "1991-09-15 01:30:00", "", "a", "b", "\n", "")
@example("晨光", "1988-04-17 02:30:00", "", "a", "b", "", "---\n")
def test_the_quick_way_reads_what_yaml_reads(
    title: str, stamp: str, offset: str, category: str, tag: str, lead: str, body: str
) -> None:
    text = (
        f'{lead}---\nlayout: post\ntitle: "{title}"\ndate: {stamp}{offset}\n'
        f"categories: {category}\ntags: {tag}\n---\n{body}"
    )
    data = text.encode("utf-8", "surrogatepass")
    usual = front_matter._read_usual_form(data, OWN, SHANGHAI)
    if usual is not None:
        text, issues, fault = front_matter._decode(data)
        assert fault is None
        assert usual == front_matter._read(front_matter._File(data, OWN, SHANGHAI, True), text, list(issues))
        by_yaml = read_header(data, OWN, SHANGHAI, own_feed=False)
        categories = tuple(dict.fromkeys(category.split()))
        assert by_yaml == usual._replace(categories=categories, tags=tuple(tag.split()))
        assert json.loads(usual.front_matter)["title"] == title


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("\"\\#: -[]{}&*!|>%@`'新闻ABC股，\n"), min_size=1, max_size=20), _WORDS)
def test_a_title_of_the_archive_is_never_lost(title: str, tag: str) -> None:
    """Whatever stands between the quotes comes back, with line breaks as blanks."""
    if re.search(r"^(?:date:|---|\.\.\.)", title, re.MULTILINE):
        return
    header = own(title=f'"{title}"', tags=tag)
    assert header.title == re.sub(r"[ \t]*\n+[ \t]*", " ", title)
    assert header.tags == ((tag.strip(" \t"),) if tag.strip(" \t") else ())


# ------------------------------------------------------------------------------------ other sites' posts


@pytest.mark.parametrize("written", ["1.10", "0755", "12:30", "no", "null", "On", "2015", "2015-01-01", "1_000"])
def test_a_value_that_is_no_text_is_taken_as_written(written: str) -> None:
    header = other(f"title: {written}\ncategories: {written}\ntags: [{written}, b]")
    if written != "null":
        assert (header.title, header.categories, header.tags) == (written, (written,), (written, "b"))
    assert header.title == written
    assert "value-not-text" in header.issues
    assert json.loads(header.front_matter)["title"] == written


@pytest.mark.parametrize("written", ["", "~"])
def test_no_title_is_made_from_the_slug(written: str) -> None:
    header = other(f"title: {written}")
    assert (header.title, "title-from-slug" in header.issues) == ("A Tale Of Two", True)


@pytest.mark.parametrize(
    ("front", "categories", "tags"),
    [
        ("categories: a b\ntags: c d", ("a", "b"), ("c", "d")),
        ("categories: [a b, c]\ntags:\n- a b\n- c", ("a b", "c"), ("a b", "c")),
        ("category: a b\ntag: c d", ("a b",), ("c d",)),
        ("categories: a\ncategory: b\ntags: c\ntag: d", ("a", "b"), ("d",)),
        ("categories: a a\ntags: [b, b]", ("a",), ("b", "b")),
        ("categories: a　b\ntags: a\u00a0b", ("a　b",), ("a\u00a0b",)),
        ("categories:\ntags: ~", (), ()),
        ("category: [a, b]\ntag: [c, [d]]", ("a", "b"), ("c", "d")),
        ("x: &x [a, b]\ncategories: *x\ntags: *x", ("a", "b"), ("a", "b")),
        ("x: &x {tags: a, categories: b}\n<<: *x", ("b",), ("a",)),
        ("tags: {a: b}", (), ("{a: b}",)),
    ],
)
def test_categories_and_tags(front: str, categories: tuple[str, ...], tags: tuple[str, ...]) -> None:
    header = other(front)
    assert (header.categories, header.tags) == (categories, tags)


def test_folders_above_are_categories() -> None:
    assert other("category: c", "a/b/_posts/d/2020-01-01-x.md").categories == ("a", "b", "c")
    assert other("category: a", "a/old_post/2020-01-01-x.md").categories == ("a",)
    assert other("", "content/a/_posts/2020-01-01-x.md", Site(collections_dir="content")).categories == ("a",)


def test_defaults_of_the_site() -> None:
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
def test_published(written: str, published: bool) -> None:
    header = other(f"published: {written}")
    assert (header.published, "unpublished" in header.issues) == (published, not published)


def test_drafts() -> None:
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
def test_what_yaml_cannot_read_is_read_line_by_line(front: str, title: str, tags: tuple[str, ...]) -> None:
    header = other(front)
    assert (header.title, header.tags) == (title, tags)
    assert "front-matter-lenient" in header.issues


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
def test_what_cannot_be_read_for_certain_is_rejected(front: str, rule: str, line: int | None) -> None:
    reject = rejected(f"---\n{front}\n---\nText".encode())
    assert (reject.rule, reject.line) == (rule, line), reject


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"---\ntitle: a\n\nText", "front-matter-unclosed"),
        (b"title: a\n---\nText", "front-matter-missing"),
        (b"\xff\xfe---", "encoding"),
        ("---\ntitle: 中文标题很长\n---\n正文也很长很长".encode("gb18030"), "encoding"),
        ("---\ntitle: a\n---\n".encode("utf-16-le"), "encoding"),
    ],
)
def test_rejects_of_other_sites(data: bytes, rule: str) -> None:
    assert rejected(data).rule == rule


def test_a_data_file_is_no_post() -> None:
    assert rejected(b"---\ntitle: a\n---\n", "_posts/2020-01-01-a.yml").rule == "data-file"


def test_a_file_without_front_matter_is_a_post_by_its_name_only() -> None:
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
        (b"---\ntitle: a\xff\n---\n" + b"x" * 200, "a\ufffd", "encoding-invalid"),
        (b"---\ntitle: a\n---\nx\0" + b"x" * 200, "a", "control-characters"),
        (b"---\ntitle: a\x08\n---\nx", "a", "control-characters"),
        (b"---\ntitle: a\n...\nx", "a", None),
        (b"---  \ntitle: a\n--- \t\nx", "a", None),
    ],
)
def test_encodings_and_marks(data: bytes, title: str, issue: str | None) -> None:
    header = read_header(data, OTHER, Site(), own_feed=False)
    assert isinstance(header, Header)
    assert header.title == title
    assert set(header.issues) == {"date-from-name"} | ({issue} if issue else set())


def test_the_body_is_kept_as_it_stands() -> None:
    header = read_header(b"---\ntitle: a\n---\n\n    code\n---\nb  \n", OTHER, Site(), own_feed=False)
    assert isinstance(header, Header)
    assert (header.body, header.body_line) == ("\n    code\n---\nb  \n", 4)


# ----------------------------------------------------------------------------------------- hostile posts

_BOMB = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
_MERGES = "m0: &m0 {title: x}\n" + "".join(
    f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}]}}\n" for i in range(1, 12)
)
_CHAIN = "c0: &c0 {title: x}\n" + "".join(f"c{i}: &c{i} {{<<: *c{i - 1}}}\n" for i in range(1, 3000))
HOSTILE = {
    "flow": "a: " + "[" * 100_000,
    "flow maps": "{a: " * 100_000,
    "blocks": "- " * 100_000,
    "keys": "? " * 100_000,
    "indents": "".join(" " * i + "a:\n" for i in range(700)),
    "a megabyte of brackets": "[" * 1_000_000,
    "a megabyte of dashes": "- " * 500_000,
    "aliases": _BOMB + "tags: *a11",
    "aliases in the title": _BOMB + "title: *a11",
    "an alias to itself": "tags: &a [*a, *a]",
    "merges": _MERGES + "<<: *m11",
    "merges on and on": _CHAIN + "<<: *c2999",
    "a merge with itself": "a: &a {<<: *a}\n<<: *a",
    "many keys": "".join(f"k{i}: v\n" for i in range(60_000)),
    "one key often": "title: @x\n" * 1_600,
    "a long title": "title: " + "x " * 500_000,
    "a long word": "a" + " " * 16_000,
    "quotes": 'title: "' + 'a "' * 5_000,
    "colons": "a: " * 80_000,
    "control characters": "\x07" * 200_000,
    "line separators": "a: b: c\u2028" * 20_000,
    "escapes": 'a: "' + "\\u4e2d" * 40_000 + '"',
    "a long date": "date: " + "1 :" * 40_000,
    "many tags": "tags: [" + "a," * 19_000 + "]",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("own_feed", [False, True])
def test_a_hostile_front_matter_is_read_or_rejected(name: str, own_feed: bool) -> None:
    data = f"---\n{HOSTILE[name]}\n---\nText".encode()
    found = read_header(data, OTHER, SHANGHAI, own_feed=own_feed)
    if isinstance(found, Header):
        assert len(found.front_matter) < 4 * len(data) + 100  # nothing is multiplied
    else:
        assert found.rule in REJECT_RULES


@pytest.mark.parametrize("name", ["flow", "flow maps", "blocks", "keys", "indents", "aliases", "merges on and on"])
def test_what_no_post_can_need_is_called_hostile(name: str) -> None:
    assert rejected(f"---\n{HOSTILE[name]}\n---\nText".encode()).rule == "front-matter-hostile"


_LINES = ["---\n", "...\n", "title: ", "date: ", "tags: ", "categories: ", "layout: post\n", "2015-02-30"]
_PIECES = st.sampled_from([*_LINES, *"\n\"'\\[]{}#\t\r\0\ufeff\u2028x", ": ", "- ", "&a ", "*a", "!x ", "<<: "])


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=120) | st.lists(_PIECES, max_size=40).map(lambda p: ("---\n" + "".join(p)).encode()),
    st.booleans(),
)
def test_no_bytes_raise(data: bytes, own_feed: bool) -> None:
    for path in (OWN, "_drafts/x", "a/_posts/2020-13-45-.md"):
        found = read_header(data, path, SHANGHAI, own_feed=own_feed)
        if isinstance(found, Header):
            assert set(found.issues) <= set(ISSUES)
            assert isinstance(json.loads(found.front_matter), dict)
            found.title.encode(), found.body.encode()
            assert found.published_at is None or found.published_at.tzinfo is not None
        else:
            assert found.rule in REJECT_RULES
