"""Which files are posts, and what `_config.yml` says."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.parsing.site import classify, classify_all, classify_folder, default_values, post_name, read_site
from newsdata.schema import Site

from ..hostile_posts import CONFIGS

POST_PATHS = [
    "_posts/2022-05-30-202205302396671645.md",
    "old_post/2022-05-30-NW202205302396671645.md",
    "_posts/-202205262391921712.md",
    "_posts/template.md",
    "_posts/deep/er/2020-01-01-a.html",
    "blog/_posts/2020-01-01-a.markdown",
    "blog/old_post/a.txt",
    "_posts/2017-2-5-a.md",
    "_posts/2020-01-01-a.rst",
    "_posts/2020-01-01-no-extension",
    "_posts/2020-01-01-a.yml",
    "_posts/2020-01-01-hash-#1.MD",
    "_posts/sub/_x/2020-01-01-a.md",
    "_posts/vendor/2020-01-01-a.md",
]
IGNORED = {
    "_config.yml": "configuration",
    "index.md": "not below _posts",
    "_layouts/post.html": "not below _posts",
    "my_posts/2020-01-01-a.md": "not below _posts",
    "_posts/.gitkeep": "hidden name",
    "_posts/_2020-01-01-a.md": "hidden name",
    "_posts/#x/2020-01-01-a.md": "hidden name",
    "_posts/a/.b/2020-01-01-a.md": "hidden name",
    "_site/_posts/2020-01-01-a.md": "hidden name",
    ".git/_posts/2020-01-01-a.md": "hidden name",
    "~x/_posts/2020-01-01-a.md": "hidden name",
    "_posts/2020-01-01-a.md~": "backup name",
    "_posts/2020-01-01-a.": "backup name",
    "vendor/x/_posts/2020-01-01-a.md": "vendored",
    "a/node_modules/_posts/2020-01-01-a.md": "vendored",
    "_drafts/a.md": "draft",
    "_posts/2020-01-01-picture.PNG": "not text",
    "_posts/2020-01-01-paper.pdf": "not text",
    "_posts/styles.css": "not a post's name",
    "_posts/2020-01-01.json": "not a post's name",
}


@pytest.mark.parametrize("path", POST_PATHS)
def test_a_post_is_never_ignored(path: str) -> None:
    assert classify(path, Site()) is None


@pytest.mark.parametrize(("path", "reason"), IGNORED.items())
def test_an_ignored_file_has_its_reason(path: str, reason: str) -> None:
    assert classify(path, Site()) == reason


def test_drafts_are_posts_if_asked_for() -> None:
    assert classify("_drafts/a.md", Site(drafts=True)) is None
    assert read_site(b"show_drafts: true")[0].drafts
    assert read_site(b"", drafts=True)[0].drafts
    assert not read_site(b"show_drafts: 'true'")[0].drafts


def test_excluded_files_are_ignored() -> None:
    site, notes = read_site(b"exclude: [/old, '*.txt', _posts/secret/]\ncollections_dir: ''")
    assert notes == ()
    assert classify("old/_posts/2020-01-01-a.md", site) == "excluded by _config.yml"
    assert classify("_posts/2020-01-01-a.txt", site) == "excluded by _config.yml"
    assert classify("_posts/secret/2020-01-01-a.md", site) == "excluded by _config.yml"
    assert classify("_posts/2020-01-01-a.md", site) is None


def test_with_a_collections_dir_other_posts_are_ignored() -> None:
    site, _ = read_site(b"collections_dir: /content/")
    assert classify("content/_posts/2020-01-01-a.md", site) is None
    assert classify("_posts/2020-01-01-a.md", site) == "not below collections_dir"


@pytest.mark.parametrize(
    ("path", "link", "folder"),
    [
        ("_posts", "posts", "posts"),
        ("a/old_post", "posts", "posts"),
        ("_posts/2020", "posts", "posts"),
        ("_posts/2020-01-01-a.md", "posts", "posts"),
        ("_posts/map.png", "not text", "posts"),
        ("_posts/a~", "backup name", "posts"),
        ("_posts/.#a", "hidden name", "hidden name"),
        ("_drafts", "draft", "draft"),
        ("a", "not below _posts", "posts"),
        ("_config.yml", "configuration", "hidden name"),
        ("left/out", "not below _posts", "excluded by _config.yml"),
        ("left/out/_posts", "excluded by _config.yml", "excluded by _config.yml"),
    ],
)
def test_a_folder_that_is_not_read_may_hold_posts(path: str, link: str, folder: str) -> None:
    site = Site(exclude=("left/out/",))
    assert classify_folder(path, site, link=True) == (None if link == "posts" else link)
    assert classify_folder(path, site, link=False) == (None if folder == "posts" else folder)


def test_a_folder_around_the_collections_dir_may_hold_posts() -> None:
    site = Site(collections_dir="content/all")
    for path, reason in {"content": None, "content/all": None, "content/all/_posts": None, "cont": "not"}.items():
        assert (classify_folder(path, site, link=False) or "")[:3] == (reason or "")
        assert (classify_folder(path, site, link=True) or "")[:3] == (reason or "")
    assert classify_folder("content/all/blog", site, link=True) == "not below _posts"


@given(st.text(max_size=80))
def test_every_path_is_classified(path: str) -> None:
    for site in (Site(), Site(drafts=True, collections_dir="a", exclude=("b*",))):
        answer = classify(path, site)
        assert answer is None or answer


PARTS = st.sampled_from(
    ["_posts", "_drafts", "old_post", "content", "vendor", ".a", "_a", "a~", "a", "a.md", "b.html", "B.MD", "c.md.png", "a.md~",
     "2022-03-01-a", "2022-03-01-a.md", "2022-03-01-b.markdown", "_c.md", "新闻.md", "n\nn.md", "_config.yml", "README.md"]
)  # fmt: skip
SITES = (
    Site(),
    Site(drafts=True, collections_dir="content"),
    Site(exclude=("_posts/a", "*.html", "old*/2022*", "_drafts")),
)


@pytest.mark.slow
@given(st.lists(st.lists(PARTS, min_size=1, max_size=4).map("/".join), max_size=20), st.sampled_from(SITES))
def test_many_paths_are_classified_as_each_one_is(paths: list[str], site: Site) -> None:
    assert classify_all(pa.array(paths, pa.string()), site).to_pylist() == [classify(path, site) for path in paths]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2018-10-12-trailing-dots...markdown", ("2018-10-12", "trailing-dots")),
        ("2020-01-01-a.b.md", ("2020-01-01", "a.b")),
        ("2020-01-01-.md", ("2020-01-01", "")),
        ("20-1-1-a", ("20-1-1", "a")),
        ("02020-1-1-a.md", None),
        ("2020-01-01.md", None),
        ("-202205262391921712.md", None),
    ],
)
def test_date_and_slug_of_a_file_name(name: str, expected: tuple[str, str] | None) -> None:
    assert post_name(f"x/_posts/{name}") == expected


@pytest.mark.parametrize(
    ("config", "timezone", "notes"),
    [
        (None, "UTC", 0),
        (b"", "UTC", 0),
        (b"title: x", "UTC", 0),
        (b"timezone:", "UTC", 0),
        (b"timezone: Asia/Shanghai # here", "Asia/Shanghai", 0),
        (b"\xef\xbb\xbftimezone: 'Asia/Shanghai'\r\n", "Asia/Shanghai", 0),
        (b"timezone: asia/shanghai", "UTC", 1),
        (b"timezone: UTC+8", "UTC", 1),
        (b"timezone: ../../etc/passwd", "UTC", 1),
        (b"timezone: [Asia/Shanghai]", "UTC", 1),
        (b"title: a: b\ntimezone: Asia/Shanghai\n", "Asia/Shanghai", 1),
        (b"- a\n- b", "UTC", 1),
        (b"\xff\xfe\x00", "UTC", 2),
        (b"encoding: gbk", "UTC", 1),
        (b"exclude: _posts", "UTC", 1),
        (b"defaults: 3", "UTC", 1),
        (b"defaults: [3, {scope: {path: ''}}]", "UTC", 2),
        (b"a: " + b"[" * 100_000, "UTC", 1),
    ],
)
def test_a_broken_configuration_gives_notes_and_no_error(config: bytes | None, timezone: str, notes: int) -> None:
    site, said = read_site(config)
    assert (site.timezone, len(said)) == (timezone, notes), said
    assert all("\n" not in note for note in said)


@given(st.binary(max_size=200))
def test_no_bytes_of_a_configuration_raise_an_error(config: bytes) -> None:
    site, _ = read_site(config)
    assert site.timezone


def test_defaults_keep_only_the_keys_that_matter_for_reading() -> None:
    site, _ = read_site(b"defaults: [{scope: {path: ''}, values: {layout: post, comments: {path: x}}}]")
    assert site.defaults == ()
    text = b"defaults: [{scope: {path: a, type: post}, values: {layout: x, published: no, tags: [b, 1.10]}}]"
    site, _ = read_site(text)
    assert site.defaults == (("a", "posts", {"published": False, "tags": ["b", "1.10"]}),)
    assert pickle.loads(pickle.dumps(site)) == site
    assert default_values("a/_posts/2020-01-01-b.md", site) == {"published": False, "tags": ["b", "1.10"]}
    assert default_values("_posts/2020-01-01-b.md", site) == {}


@pytest.mark.parametrize(
    ("scope", "applies"),
    [
        ("", True),
        ("x", True),
        ("x/_posts", True),
        ("/x", False),
        ("*/_posts", True),
        ("**/*.md", True),
        ("x/_posts/2020-??-*.md", True),
        ("x/*.md", False),
        ("y", False),
    ],
)
def test_scopes_of_defaults(scope: str, applies: bool) -> None:
    site = Site(defaults=((scope, "", {"tags": "t"}),))
    assert bool(default_values("x/_posts/2020-01-01-b.md", site)) is applies


@pytest.mark.parametrize("name", CONFIGS)
def test_a_hostile_configuration_gives_short_notes(name: str) -> None:
    site, notes = read_site(CONFIGS[name])
    assert all(len(note) < 300 for note in notes)
    for path in ("_posts/2022-03-01-a.md", f"{'a' * 200}/_posts/{'a' * 200}.md", "a/" * 1_000 + "_posts/b.md"):
        classify(path, site)
        default_values(path, site)


def test_globs_do_not_take_exponential_time() -> None:
    values = {"tags": "x"}
    site = Site(defaults=(("*a" * 30 + "b", "", values), ("**/a/" * 30 + "b", "", values), ("a/**/*.md", "", values)))
    assert default_values("a" * 200 + "/_posts/b.md", site) == {}
    assert default_values("a/" * 1_000 + "_posts/c", site) == {}
    assert default_values("a/_posts/2022-03-01-c.md", site) == {"tags": "x"}
