"""The specification of the parser (each post in tests/posts has its expected result beside it), and hostile posts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsdata import Post, RawPost, Reject, parse_post
from newsdata.parsing.post import article_id, clashing_ids, parse_bytes
from newsdata.schema import ISSUES, REJECT_RULES, Link, Site, Span
from newsdata.storage.rows import rows_of_posts

from ..conftest import ROOT, post
from ..hostile_posts import HUGE_POSTS, POSTS
from ..strategies import PATHS as PATHS_OF_SITES
from ..strategies import files

FOLDER = Path(__file__).parents[1] / "posts"
FILES = sorted(FOLDER.glob("*/*.md"))
SHANGHAI = Site(timezone="Asia/Shanghai")


def plain(value: Any) -> Any:
    """A record as in the JSON beside a post, without the raw body and the hash."""
    if isinstance(value, Reject):
        value = dataclasses.asdict(value)
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name not in ("body", "sha256")}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def test_the_specification_is_complete() -> None:
    kinds = [path.parent.name for path in FILES]
    assert kinds.count("valid") >= 45 and kinds.count("invalid") >= 10
    assert all(path.with_suffix(".json").is_file() for path in FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_post_is_read_as_specified(file: Path) -> None:
    expected = json.loads(file.with_suffix(".json").read_text("utf-8"))
    path, timezone = expected.pop("path"), expected.pop("timezone")
    found = parse_post(RawPost(path=path, data=file.read_bytes()), Site(timezone=timezone))
    assert isinstance(found, Reject if file.parent.name == "invalid" else Post)
    assert plain(found) == {"path": path, **expected}


def test_the_specification_uses_known_codes_and_rules() -> None:
    for file in FILES:
        expected = json.loads(file.with_suffix(".json").read_text("utf-8"))
        assert set(expected.get("issues", [])) <= ISSUES.keys()
        assert expected.get("rule", "empty") in REJECT_RULES


PIECES = st.sampled_from(
    [
        "---\n", "title: ", '"', "\\", "\n", "date: 2022-03-01 08:00:00 +0800\n", "tags: ", "categories: emnews\n", "> ",
        "<p>", "</p>", "<br>", "<strong>", "&lt;", "&#x110000;", "<!--", "-->", "<>", "<http://news.example/1.html>\n",
        "[返回](./)", "（文章来源：", "）", '<p class="em_media">', '<a class="keytip" data-code="1,600000">', "甲乙丙", "</a>",
        "　", "\u200b", "\x00", "\ud800", "<table><tr><td>", "{% x %}", "{: .a}", "(600000)", "𠮷", "e\u0301",
    ]
)  # fmt: skip
PATHS = st.sampled_from(["_posts/2022-03-01-202203010000000001.md", "_posts/2022-03-01-NW202203010000000001.md", "_posts/2022-03-01-a.md", "_posts/2022-03-01-a.html"])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(path=PATHS, text=st.lists(PIECES, max_size=40).map("".join), framed=st.booleans())
@example(path="_posts/2022-03-01-a.md", text="---\n---\n", framed=False)
def test_parsing_never_raises_and_offsets_are_right(path: str, text: str, framed: bool) -> None:
    data = post(body="").replace(b"\n\n", b"\n") if framed else b""
    data += text.encode("utf-8", "surrogatepass")
    found = parse_post(RawPost(path=path, data=data), SHANGHAI)
    if isinstance(found, Reject):
        assert found.rule in REJECT_RULES and found.reason and len(found.excerpt or "") <= 200
        return
    for mention in found.mentions:
        assert found.text[mention.start : mention.end] == mention.text and mention.text
    spans: list[Span | Link] = [*found.headings, *found.links]
    for span in spans:
        assert 0 <= span.start < span.end <= len(found.text)
    assert set(found.issues) <= ISSUES.keys()
    assert not re.search(r"^\s|\s$|\n\n", found.text)
    posts, spool, _ = rows_of_posts([found], "Asia/Shanghai")
    table = spool.to_pylist()[0]
    assert table["text"] == found.text and table["title"] == found.title
    assert [m["text"] for m in table["mentions"]] == [m.text for m in found.mentions]
    assert posts.to_pylist()[0]["body"] == found.body


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300), path=PATHS)
def test_any_bytes_give_a_post_or_a_reject(data: bytes, path: str) -> None:
    found = parse_bytes(path, data, SHANGHAI, hashlib.sha256(data).hexdigest())
    assert isinstance(found, Post | Reject)


# ----------------------------------------------------------------------------------------------- hostile posts

LIMIT = 60.0  # seconds of a processor for one post, on a slow machine
CORPUS = sorted((ROOT / "tests" / "corpus").iterdir())


def check(found: Post | Reject) -> None:
    """Check what holds for every post and reject."""
    if isinstance(found, Reject):
        assert found.rule in REJECT_RULES and found.reason and len(found.excerpt or "") <= 200
        assert (found.excerpt or "").isprintable()
        return
    assert set(found.issues) <= ISSUES.keys()
    for mention in found.mentions:
        assert found.text[mention.start : mention.end] == mention.text and mention.text
    for start, end in [(s.start, s.end) for s in found.headings] + [(s.start, s.end) for s in found.links]:
        assert 0 <= start < end <= len(found.text)
    assert "INJECTED" not in found.text
    assert not any("INJECTED" in link.url for link in found.links)
    assert [table.num_rows for table in rows_of_posts([found], "Asia/Shanghai")] == [1, 1, 1]


def read(path: str, data: bytes) -> Post | Reject:
    return parse_bytes(path, data, SHANGHAI, hashlib.sha256(data).hexdigest())


@pytest.mark.slow
@pytest.mark.parametrize("path", POSTS)
def test_a_hostile_post_is_read_in_time(path: str) -> None:
    begin = time.process_time()
    check(read(path, POSTS[path]))
    assert time.process_time() - begin < LIMIT


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(PATHS_OF_SITES, files())
def test_any_post_is_read_or_rejected(path: str, data: bytes) -> None:
    check(read(path, data))


@pytest.mark.slow
@settings(max_examples=5_000, deadline=None)
@given(PATHS_OF_SITES, files())
def test_very_many_posts_are_read_or_rejected(path: str, data: bytes) -> None:
    check(read(path, data))


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_files_that_failed_once_are_read_or_rejected(file: Path) -> None:
    for path in ("_posts/2022-03-01-202203010000000001.md", "_posts/2022-03-01-a.md", "_posts/2022-03-01-a.html"):
        check(read(path, file.read_bytes()))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in HUGE_POSTS if name != "one-front-line"])
def test_the_largest_posts_are_read_in_time(name: str) -> None:
    begin = time.process_time()
    check(read("_posts/2022-03-02-x.md", HUGE_POSTS[name][: 8 * 2**20 - 3]))
    assert time.process_time() - begin < LIMIT


# ------------------------------------------------------------------------------------------- article ids, sites


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("_posts/2022-01-27-NW202201272263299588.md", "202201272263299588"),
        ("2022-01-27-202201272263299588.md.html", "2022-01-27-202201272263299588.md"),
        ("202201272263299588", "202201272263299588"),
        ("_posts/2022-01-27-x202201272263299588.md", "_posts/2022-01-27-x202201272263299588"),
        ("_posts.d/a", "_posts.d/a"),
        ("_posts/.md", "_posts/.md"),
        ("_posts/a.", "_posts/a."),
        ("_posts/a..md", "_posts/a."),
        ("_posts/..md", "_posts/."),
        ("_posts/新 闻.b.c", "_posts/新 闻.b"),
    ],
)
def test_the_article_id_is_the_number_or_the_path(path: str, expected: str) -> None:
    assert article_id(path) == expected


def test_a_file_is_read_as_part_of_its_site(tmp_path: Path) -> None:
    (tmp_path / "blog" / "_posts").mkdir(parents=True)
    (tmp_path / "_config.yml").write_text("timezone: Asia/Tokyo\n")
    file = tmp_path / "blog" / "_posts" / "2022-03-01-a.md"
    file.write_text("---\ntitle: A\n---\nText.\n")
    found = parse_post(file)
    assert isinstance(found, Post)
    assert found.path == "blog/_posts/2022-03-01-a.md" and found.categories == ("blog",)
    assert found.published_at is not None and found.published_at.isoformat() == "2022-03-01T00:00:00+09:00"


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["_posts/a.html", "_posts/a.md", "_posts/b.md"], ["_posts/a.html"]),
        (["_posts/x.d/a", "_posts/x.d/a.txt"], ["_posts/x.d/a.txt"]),
        (["_posts/x.d/a", "_posts/x.e/a", "_posts/x/a.d"], []),
        (["_posts/2022-03-01-202203010000000001.html", "_posts/2022-03-01-202203010000000001.md"], []),
    ],
)
def test_ids_of_paths_that_differ_in_the_extension(paths: list[str], kept: list[str]) -> None:
    assert clashing_ids(paths) == {path: path for path in kept}
