"""Front matter as Jekyll itself reads it.

The recorded answers of Jekyll 4.3 need the shared data; the live comparison needs `jekyll` on the machine. Every intended
difference is here and in docs/jekyll.md; a test fails if it no longer exists.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsdata.parsing.front_matter import Header, read_header
from newsdata.parsing.site import classify, post_name, read_site
from newsdata.schema import FEED_NAME, Reject, Site

from ..conftest import ROOT, SHARED

JEKYLL = SHARED / "jekyll"
SITES = ["jekyll-fixtures", "mzlogin", "opensuse-news", "twbs"]
needs_jekyll = pytest.mark.skipif(not shutil.which("jekyll"), reason="jekyll is not installed")

Answer = Mapping[str, object]
Fields = dict[str, object]


def utc(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0") if moment else None


def fields(header: Header) -> Fields:
    return {
        "title": header.title,
        "date": utc(header.published_at),
        "categories": list(header.categories),
        "tags": list(header.tags),
        "draft": header.draft,
        "published": header.published,
        "url": header.fields.url,
    }


# ----------------------------------------------------------------------------------- the recorded answers


@pytest.mark.parametrize("name", SITES)
def test_posts_are_read_as_recorded(name: str) -> None:
    folder = JEKYLL / name
    if not folder.is_dir():
        pytest.skip("the shared posts of other sites are not here")
    site, notes = read_site((folder / "_config.yml").read_bytes(), drafts=True)
    assert notes == ()
    compared = 0
    for line in (folder / "expected.jsonl").read_text("utf-8").splitlines():
        answer = json.loads(line)
        path = answer["path"]
        data = (folder / path).read_bytes()
        header = None if classify(path, site) else read_header(data, path, site, own_feed=False)
        if answer["status"] == "not-a-post":
            # A Markdown file without a date in its name: a post here, if it has front matter.
            assert not isinstance(header, Header) or post_name(path) is None, path
        elif answer["status"] == "skipped":
            assert isinstance(header, Reject), path
            assert header.rule == "data-file", path
        elif not data.strip():
            assert isinstance(header, Reject), path
            assert header.rule == "empty", path
        elif answer["status"] == "ok":
            assert isinstance(header, Header), (path, header)
            assert fields(header) == {
                "title": answer["title_s"],
                # A time without a zone is in the site's zone here.
                "date": answer["date_utc_if_site"] or answer["date_utc"],
                "categories": answer["categories"],
                "tags": answer["tags"],
                "draft": answer["draft"],
                "published": "unpublished" not in answer["hidden"],
                "url": answer["url"],
            }, path
            # Jekyll drops the blank lines after the closing line; here they are kept.
            if answer["has_front_matter"] and not answer["crlf"]:
                content = re.sub(r"\A(?:[ \t\r\f\v]*\n)+", "", header.body)
                assert len(content) == answer["content_chars"], path
            compared += 1
    assert compared > 50


# ---------------------------------------------------------------------------------------- Jekyll, running


def ask_jekyll(folder: Path, files: Mapping[str, bytes], config: str = "") -> dict[str, Answer]:
    """What Jekyll reads in a site of these files."""
    for path, data in {**files, "_config.yml": config.encode()}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    command = ["ruby", str(ROOT / "tests" / "jekyll_answers.rb"), str(folder)]
    answers = subprocess.run(command, capture_output=True, check=True).stdout.decode().strip().split("\n")
    return {str(answer.pop("path")): answer for answer in map(json.loads, answers)}


def same(header: Header, answer: Answer) -> set[str]:
    """The names of the fields that differ."""
    assert answer["status"] == "ok"
    return {name for name, value in fields(header).items() if value != answer[name]}


# Front matter that is read as Jekyll reads it, field by field, in every zone. ⏎ is a line break.
AGREE = """
title: Plain
title: "Quoted: with # marks"
title: 'It''s'
title: "A \\"word\\""
title: "a\\tb\\u4e2d"
title: a #cut
title: a#b
title: https://a.example/b
title:   blanks
title: 2015
title: "2015"
title: 2015-01-01
title: 1e5
title: .
title: y
title: =
title: ""
title: " "
title:
title: ~
title: &anchor a
title: !tag a
title: !!str 12
title: !
title: |⏎  two⏎  lines
title: >-⏎  two⏎  lines
title: two⏎  lines
title: "two⏎  lines"
title: 晨光 初照｜早报
title: 😀
title : a
"title": a
? title⏎: a
{title: a, tags: [b]}
Title: a⏎TAGS: b
title: a⏎title: b
title: a⏎title:
# a comment
layout: post⏎title: a⏎# comment: b⏎tags: a # b
a: &a {title: m, tags: t}⏎<<: *a
a: &a {title: m}⏎title: n⏎<<: *a
a: &a {title: m}⏎<<: *a⏎title: n
a: &a {title: m}⏎b: &b {title: q, tags: z}⏎<<: [*a, *b]
author:⏎  title: y⏎  date: 2015-01-01
excerpt: |⏎  a⏎  ---⏎  b
--- a⏎title: b
categories: a
categories: a b  c
categories: a　b
categories: [a b, c]
categories: [a, a]
categories: []
categories: [""]
categories: "a\\tb"
categories:⏎  - a⏎  - b c
categories: a, b
categories: |⏎  a⏎  b
categories: "36"
category: a b
category: [a, b]
category: 2013
category: ""
category: [a, null]
category: a⏎categories: b a
tags: a b
tags: [a, a]
tags: [a, null, b]
tags: [1, 2]
tags: [[a, b], c]
tags: ""
tags: "36"
tags: &x [a, b]⏎tag:
tag: a b
tag: [a, b]
tag: 2013
tag: ""
tag: a⏎tags: b
published: false
published: no
published: "false"
published: 0
published: n
published:
draft: true
draft: no
draft: 0
draft:
date: 2015-01-02
date: 2015-1-2
date: "2015-01-02"
date: 2015-01-02 10:11:12 +0800
date: 2015-01-02 10:11:12 +08:00
date: 2015-01-02 10:11:12+0800
date: 2015-01-02 10:11:12 -05
date: 2015-01-02 10:11:12 -5
date: 2015-01-02 10:11:12 -0030
date: 2015-01-02 10:11:12 +800
date: "2015-01-02 10:11:12 +8"
date: 2015-01-02T10:11:12Z
date: 2015-01-02t10:11:12z
date: 2015-01-02T10:11:12.345+05:30
date: 2015-01-02 10:11
date: 2015-01-02 10:11 +0800
date: "2015-01-02 10:11:12"
date: "2015-01-02T10:11:12"
date: 2015-01-02T10:11
date: 2015-01-02 10:11:12 EST
date: 2015-01-02 10:11:12 CST
date: 2015-01-02 10:11:12 UTC
date: 2015-01-02 10:11:12 GMT+8
date: 2015-01-02 10:11:12 CET
date: 2015-01-02 10:11:12 Asia/Shanghai
date: 2015-01-02 10:11:12 +0800 (CST)
date: 2015-01-02 1:2:3
date: 2015-01-02 10:30 PM
date: 2015-01-02 12:00 AM
date: 2015-01-02 10:30pm EST
date: 2015-01-02 10h11
date: 2015-01-02 10
date: 2015-01-02 24:00:00 Z
date: 2015-01-02 23:59:60 Z
date: 2015-01-02-10-11
date: 2015/01/02
date: 2015/01/02 10:11:12
date: 01/02/2015
date: 2015.01.02
date: 02.01.2015
date: 15-01-02
date: January 2, 2015
date: Jan 2nd 2015 10:11
date: 2 January 2015
date: 2-Jan-2015
date: Jan 2015
date: Fri, 02 Jan 2015 10:11:12 GMT
date: Fri Jan  2 10:11:12 2015
date: 20150102
date: 20150102101112
date: 2015-01-02 # note
date: 2015-03-29 02:30
date: 2015-10-25 02:30
date: 2015-11-01 01:30
date: 1969-12-31
"""

# Front matter that Jekyll reads in another way. The reasons are in docs/jekyll.md.
DIFFER: list[tuple[str, Fields]] = [
    ("title: 1.10", {"title": "1.10"}),
    ("title: 0755", {"title": "0755"}),
    ("title: 12:30", {"title": "12:30"}),
    ("title: no", {"title": "no"}),
    ("title: null", {"title": "null"}),
    ("title: 2015-01-01 10:00:00 Z", {"title": "2015-01-01 10:00:00 Z"}),
    ("title: [a]", {"title": "[a]"}),
    ("title: {{ page.name }}", {"title": "{{ page.name }}"}),
    ("categories: [1.10, yes]", {"categories": ["1.10", "yes"]}),
    ("categories: [1, 2]", {"categories": ["1", "2"]}),
    ("categories: [[a, b], c]", {"categories": ["a", "b", "c"]}),
    ("categories: [a, null]", {"categories": ["a"]}),
    ("category: no", {"categories": ["no"]}),
    ("category: {a: b}", {"categories": ["{a: b}"]}),
    ("tags: 36", {"tags": ["36"]}),
    ("tags: no", {"tags": ["no"]}),
    ("tags: {a: b}", {"tags": ["{a: b}"]}),
    ("tags: [1.10, 0755]", {"tags": ["1.10", "0755"]}),
    ("tag: yes", {"tags": ["yes"]}),
    ("date: 2015-02-30", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 2015-02-30 10:00:00 Z", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 2015-01-02 10:11:12", {"date": "2015-01-02T15:11:12Z"}),
    ("date: 2015-01-02T10:11:12", {"date": "2015-01-02T15:11:12Z"}),
    ("date: 2015--01-02", {"date": "2020-02-03T05:00:00Z"}),
    ("date: Jan 2", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 2015-002", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 150102", {"date": "2020-02-03T05:00:00Z"}),
]

# Front matter that stops Jekyll's build, or that Jekyll loses. None: rejected here.
RESCUED: list[tuple[str, Fields | None]] = [
    ("title: a: b\ntags: c d", {"title": "a: b", "tags": ["c", "d"]}),
    ('title: "a"b"c"', {"title": 'a"b"c'}),
    ("title: @a", {"title": "@a"}),
    ("title: :a\ntags: b", {"title": ":a", "tags": ["b"]}),
    ("title:a", {"title": "a"}),
    ("title: a\n\ttags: b", {"title": "a", "tags": ["b"]}),
    ("title: a\x07b", {"title": "ab"}),
    ("categories: 36", {"categories": ["36"]}),
    ("categories: {a: b}", {"categories": ["{a: b}"]}),
    ("tags: [a, b", {"tags": ["a", "b"]}),
    ("date:", {"date": "2020-02-03T05:00:00Z"}),
    ('date: ""', {"date": "2020-02-03T05:00:00Z"}),
    ("date: 2015-13-01", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 2018-110-15", {"date": "2020-02-03T05:00:00Z"}),
    ("date: +9000", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 2015-01-02 10:11:12 +9000", {"date": "2020-02-03T05:00:00Z"}),
    ("date: YYYY-MM-DD (optional)", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 2022-04-05 13:45:5+30:00", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 0000-00-00", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 10:11", {"date": "2020-02-03T05:00:00Z"}),
    ("date: now", {"date": "2020-02-03T05:00:00Z"}),
    ("date: 2015", {"date": "2020-02-03T05:00:00Z"}),
    ("- a\n- b", None),
    ("words", None),
    ("a: !ruby/object:Object {}", None),
    ('title: "a\n---\nb"\ntags: c', None),
    ("<<<<<<< a\ntitle: a\n=======\ntitle: b\n>>>>>>> b", None),
]

CONFIGS = {
    "plain": "",
    "New York": "timezone: America/New_York",
    "Berlin": "timezone: Europe/Berlin",
    "defaults": "defaults: [{scope: {path: x}, values: {tags: tx, date: 2011-01-01 10:00:00 +0800}}, "
    "{scope: {path: ''}, values: {tags: t0, categories: [a, b]}}, {scope: {path: x/y, type: post}, values: "
    "{tags: txy, categories: c, published: false}}, {scope: {path: '**/_posts/*.md'}, values: {title: T}}]",
    "more defaults": "defaults: [{values: {tag: q}}, {scope: {path: _drafts}, values: {category: dr}}, "
    "{scope: {path: '/x'}, values: {tags: no}}, {scope: {path: '', type: pages}, values: {title: P}}]",
    "folders": "collections_dir: x",
    "exclude": "exclude: [x/y, '*e.md']",
}


def post_of(front: str) -> bytes:
    return f"---\n{front}\n---\nText\n".encode()


def numbered(fronts: list[str]) -> dict[str, bytes]:
    return {f"_posts/2020-02-03-Case-n{i}.md": post_of(front) for i, front in enumerate(fronts)}


@needs_jekyll
@pytest.mark.parametrize("config", ["plain", "New York", "Berlin"])
def test_front_matter_is_read_as_jekyll_reads_it(config: str, tmp_path: Path) -> None:
    files = numbered([line.replace("⏎", "\n") for line in AGREE.strip().split("\n")])
    answers = ask_jekyll(tmp_path, files, CONFIGS[config])
    site, _ = read_site(CONFIGS[config].encode())
    wrong = {}
    for path, data in files.items():
        header = read_header(data, path, site, own_feed=False)
        if isinstance(header, Reject) or answers[path]["status"] != "ok" or same(header, answers[path]):
            wrong[data] = (header, answers[path])
    assert wrong == {}


@pytest.mark.slow
@needs_jekyll
def test_each_intended_difference_exists(tmp_path: Path) -> None:
    files = numbered([front for front, _ in DIFFER])
    answers = ask_jekyll(tmp_path, files, CONFIGS["New York"])
    for (path, data), (front, meant) in zip(files.items(), DIFFER, strict=True):
        header = read_header(data, path, Site(timezone="America/New_York"), own_feed=False)
        assert isinstance(header, Header), front
        assert {name: fields(header)[name] for name in meant} == meant, front
        of_address = {"url"} if {"categories", "date"} & set(meant) else set()  # it is made from them
        assert same(header, answers[path]) - of_address == set(meant), (front, answers[path])
        assert set(header.issues) & {"value-not-text", "date-unreadable", "date-without-zone"} or "null" in front


@pytest.mark.slow
@needs_jekyll
def test_front_matter_that_breaks_jekyll_is_recovered_or_rejected(tmp_path: Path) -> None:
    files = numbered([front for front, _ in RESCUED])
    answers = ask_jekyll(tmp_path, files, CONFIGS["New York"])
    for (path, data), (front, meant) in zip(files.items(), RESCUED, strict=True):
        assert answers[path]["status"] in ("damaged", "fatal"), (front, answers[path])
        header = read_header(data, path, Site(timezone="America/New_York"), own_feed=False)
        if meant is None:
            assert isinstance(header, Reject), front
        else:
            assert isinstance(header, Header), front
            assert {name: fields(header)[name] for name in meant} == meant, front


WHOLE_FILES: dict[bytes, str] = {
    "---\ntitle: 甲\n---\nx".encode("utf-8-sig"): "same",
    "---\r\ntitle: 甲\r\ntags: a b\r\n---\r\n\r\nx\r\n".encode(): "same",
    b"---  \ntitle: a\n--- \t\nx": "same",
    b"---\ntitle: a\n...\nx": "same",
    b"---\n---\nx": "same",
    b"---\n\n---\nx": "same",
    b"---\nnull\n---\nx": "same",
    b"---\ntitle: a\n---": "same",
    b"---\n%YAML 1.1\n---\ntitle: x\n---\nb": "same",
    b"words": "same",
    b"<p>x</p>\n---\ntitle: a\n---\n": "same",
    b"\n---\ntitle: a\n---\nx": "better",
    b"---\rtitle: a\r---\rx": "better",
    "---\ntitle: 甲\n---\nx".encode("utf-16"): "rescued",
    b"---\ntitle: a\xff\n---\n" + b"x" * 200: "rescued",
    b"---\ntitle: a\0\n---\n" + b"x" * 200: "rescued",
    "---\ntitle: 中文标题\n---\n正文".encode("gb18030"): "rejected",
    b"": "rejected",
    b" \n": "rejected",
    b"---\ntitle: a\nx": "rejected",
    b"title: a\n---\nx": "rejected",
}


@pytest.mark.slow
@needs_jekyll
def test_whole_files_are_read_as_jekyll_reads_them_or_better(tmp_path: Path) -> None:
    files = {f"_posts/2020-02-03-f{i}.md": data for i, data in enumerate(WHOLE_FILES)}
    answers = ask_jekyll(tmp_path, files)
    for path, data in files.items():
        header = read_header(data, path, Site(), own_feed=False)
        if WHOLE_FILES[data] == "rejected":
            assert isinstance(header, Reject), data
        else:
            assert isinstance(header, Header), (data, header)
            read = answers[path]["status"] == "ok"
            assert read is (WHOLE_FILES[data] != "rescued"), data
            assert not read or bool(same(header, answers[path])) is (WHOLE_FILES[data] == "better"), data


PERMALINKS = [
    "/:categories/:title/",
    "/:year/:short_year/:month/:i_month/:day/:i_day/:y_day/:hour:minute:second/:title:output_ext",
    "/:w_year-W:week-:w_day/:short_month/:long_month/:short_day/:long_day/:slug",
    "/:slugified_categories/:name/:collection:path.html",
    "/:month_:day_:title.html",
    "/a/../:title//./b",
    "pretty",
    "none",
    "date",
    "ordinal",
    "weekdate",
    "/no/:such/:title",
    "/:title/é:output_ext",
]
ADDRESSED = """
title: a
categories: [A b, "C#/d?", 甲 乙, a b]⏎slug: My Own_slug. Ünï
slug: 晨光~初(照)!
permalink: /own/page
permalink: own/:title/
permalink: /:slug.htm
permalink: /x:output_ext
permalink: /文/a b/
permalink: pretty
permalink: ''
permalink: ~
permalink: false
permalink: /:author/
date: 2015-01-02 23:11:12
date: 2015-01-02 23:11:12 -0500
date: 2016-01-01
date: 2016-12-31 01:02:03 Z
"""


@pytest.mark.slow
@needs_jekyll
@pytest.mark.parametrize("permalink", [*PERMALINKS, None])
def test_addresses_are_those_of_jekyll(permalink: str | None, tmp_path: Path) -> None:
    fronts = [line.replace("⏎", "\n") for line in ADDRESSED.strip().split("\n")]
    names = ["{}.md", "{}.html", "{}.txt", "{}.MD", "{}-Ünï_cödé~(x)!--.md", "{}.b..md"]
    config = "timezone: Asia/Tokyo\nurl: https://a.example\nbaseurl: /blog\n" + (
        f"permalink: {permalink}" if permalink else ""
    )
    files = {f"x/Y z/_posts/2020-02-03-{name.format(f'P{i}')}": post_of(fronts[0]) for i, name in enumerate(names)}
    files |= numbered(fronts)
    answers = ask_jekyll(tmp_path, files, config)
    site, _ = read_site(config.encode())
    wrong = {}
    for path, data in files.items():
        header = read_header(data, path, site, own_feed=False)
        assert isinstance(header, Header)
        if header.fields.url != answers[path]["url"]:
            wrong[path, data] = (header.fields.url, answers[path]["url"])
    assert wrong == {}


NAMES = """
_posts/2020-02-03-a.md _posts/2020-2-3-a-B-cC.md _posts/20-2-3-a.md _posts/02020-2-3-a.md
_posts/2020-02-03-.md _posts/2020-02-03-a.b.md _posts/2020-02-03-a..md _posts/2020-02-03-.a.md
_posts/2020-02-03--a--b-.md _posts/2020-02-03-élan-ÉCOLE-ß.md _posts/2020-02-03-晨光-初照.md
_posts/2020-02-03-a.html _posts/2020-02-03-a.txt _posts/2020-02-03-a.rst _posts/2020-02-03-a.MD
_posts/2020-02-03-2020-02-04-a.md _posts/2020-02-03-a.md.md _posts/2020-02-03-a.md~ _posts/_2020-02-03-a.md
_posts/.2020-02-03-a.md _posts/y/2020-02-03-a.md _posts/_x/2020-02-03-a.md _posts/x/_y/2020-02-03-a.md
_posts/x/.y/2020-02-03-a.md _posts/#x/2020-02-03-a.md _posts/x/#y/2020-02-03-a.md _posts/x~/2020-02-03-a.md
x/_posts/2020-02-03-a.md x/y/_posts/2020-02-03-b.md x/x/_posts/2020-02-03-a.md _x/_posts/2020-02-03-a.md
.x/_posts/2020-02-03-a.md x~/_posts/2020-02-03-a.md my_posts/2020-02-03-a.md x/_posts/y/2020-02-03-e.md
_drafts/a-b.md x/_drafts/2020-02-03-b.md node_modules/_posts/2020-02-03-a.md
vendor/bundle/_posts/2020-02-03-a.md
"""


@pytest.mark.slow
@needs_jekyll
@pytest.mark.parametrize("config", CONFIGS)
def test_names_folders_and_configuration_are_read_as_jekyll_reads_them(config: str, tmp_path: Path) -> None:
    fronts = ["title: t\ncategories: q\n", "title:\ntags:\n", "category: c\ntags: [z]\n"]
    files = {path: post_of(fronts[i % 3]) for i, path in enumerate(NAMES.split())}
    answers = ask_jekyll(tmp_path, files, CONFIGS[config])
    site, notes = read_site(CONFIGS[config].encode(), drafts=True)
    assert notes == ()
    read = {path for path in files if classify(path, site) is None}
    # A name without a date is a post here, if its extension is a post's.
    assert {path for path in read if post_name(path) or "_drafts/" in path} == set(answers)
    for path in answers:
        header = read_header(files[path], path, site, own_feed=False)
        assert isinstance(header, Header), path
        assert same(header, answers[path]) == set(), (path, header, answers[path])


@pytest.mark.slow
@needs_jekyll
def test_posts_of_the_archive_are_read_as_jekyll_reads_them(tmp_path: Path) -> None:
    source = SHARED / "finews"
    if not source.is_dir():
        pytest.skip("the archive's posts are not here")
    config = (source / "_config.yml").read_text("utf-8").replace("theme:", "no_theme:")
    site, _ = read_site(config.encode())
    # Jekyll does not know `old_post`. As a folder below `_posts` it adds no category.
    originals = {p.relative_to(source).as_posix(): p.read_bytes() for p in sorted(source.rglob("*.md"))}
    files = {path.replace("old_post/", "_posts/old/"): data for path, data in originals.items()}
    answers = ask_jekyll(tmp_path, files, config)
    assert len(originals) > 20
    for original, (path, data) in zip(originals, files.items(), strict=True):
        own_feed = bool(re.search(FEED_NAME.pattern + r"\Z", Path(path).stem))
        header = read_header(data, original, site, own_feed=own_feed)
        assert isinstance(header, Header), path
        if path not in answers:
            assert post_name(path) is None
            continue
        expected = {"url"} if own_feed else set()
        if "date-without-zone" in header.issues:  # to Jekyll it is UTC
            expected |= {"date"}
        if "front-matter-leading-blank" in header.issues:  # to Jekyll there is no front matter
            expected |= {"title", "date", "categories", "tags"}
        assert same(header, answers[path]) == expected, path


# --------------------------------------------------------------------------------------- damaged at random

_MARKS = [
    *"\"'#-[]{},|>%@`\\\t\n 01.=/é　",
    ": ",
    " #",
    "- ",
    "---\n",
    "...\n",
    "&a ",
    "*a",
    "!",
    "null",
    "~",
    "? ",
]
_MARKS += [
    "date: ",
    "title: ",
    "tags: a b\n",
    "<<: ",
    "+0800",
    "Z",
    "2015-01-02",
    "published: false\n",
    "\r\n",
]
_BASES = [
    "layout: post\ntitle: 晨光初照｜早报\ndate: 2021-03-04 05:06:07 +0800\ncategories: [甲, 乙]\ntags: a b",
    "author: A\ndate: 2021-01-07 13:00:00+13:00\ntitle: 'B: c'\ncategories:\n- X Y\n- Z\ntags:\n- q\n- r s",
    'title: "Three, four"\ndescription: a b c\nkeywords: x, y\npublished: true\ntag: [u, v]\ncategory: w',
    "title: Five\ndate: 2020-06-26 21:30:00 Z\nimage:\n  path: /a\n  w: 1\nexcerpt: >\n  b\n  c\ntags: [c]",
]
_DIFFERENT = {"value-not-text", "date-unreadable", "front-matter-leading-blank", "line-ends"}


@pytest.mark.slow
@needs_jekyll
@pytest.mark.parametrize("seed", range(3))
def test_randomly_damaged_front_matter_is_read_as_jekyll_reads_it(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    files = {}
    for number in range(3000):
        text = f"---\n{chance.choice(_BASES)}\n---\nText\n"
        for _ in range(chance.choice([1, 1, 2])):
            at = chance.randrange(len(text) - 5)
            if chance.random() < 0.7:
                text = text[:at] + chance.choice(_MARKS) + text[at:]
            else:
                text = text[:at] + text[at + chance.choice([1, 2, 5]) :]
        files[f"_posts/2020-02-03-m{number}.md"] = text.encode()
    answers = ask_jekyll(tmp_path, files)
    agreed = 0
    for path, data in files.items():
        header = read_header(data, path, Site(), own_feed=False)
        if answers[path]["status"] == "ok" and isinstance(header, Header):
            differ = same(header, answers[path])
            empty = "" in answers[path]["categories"]  # type: ignore[operator]
            assert not differ or _DIFFERENT & set(header.issues) or empty, (data, header, answers[path])
            agreed += not differ
    assert agreed > 1500
