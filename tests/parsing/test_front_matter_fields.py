"""Authors, language, picture, lead and address of posts of other sites."""

from __future__ import annotations

import time

import pytest

from newsdata import Post, RawPost, parse_post
from newsdata.parsing.site import read_site
from newsdata.schema import Site


def read(front: str, path: str = "_posts/2020-02-03-a.md", body: str = "Text.", config: str = "") -> Post:
    data = f"---\n{front}\n---\n{body}\n".encode()
    found = parse_post(RawPost(path=path, data=data), read_site(config.encode())[0])
    assert isinstance(found, Post)
    return found


@pytest.mark.parametrize(
    ("front", "authors"),
    [
        ("author: Ada", ("Ada",)),
        ("authors: [Ada, Bob, Ada]", ("Ada", "Bob")),
        ("authors:\n- name: Ada\n  url: x\n- Bob\nauthor: Cid", ("Ada", "Bob", "Cid")),
        ("author: {name: Ada, twitter: a}", ("Ada",)),
        ("a: &a {name: Ada}\nauthor: {<<: *a}", ("Ada",)),
        ("a: &a Ada\nauthors: [*a]", ("Ada",)),
        ("author:\nauthors: []", ()),
        ("author: {twitter: a}", ()),
        ("author: [[Ada]]", ()),
        ("title: t", ()),
    ],
)
def test_authors(front: str, authors: tuple[str, ...]) -> None:
    assert read(front).authors == authors


@pytest.mark.parametrize(
    ("front", "path", "config", "lang"),
    [
        ("lang: fr", "en/_posts/2020-02-03-a.md", "lang: de", "fr"),
        ("language: zh_CN", "_posts/2020-02-03-a.md", "", "zh_CN"),
        ("locale: pt-BR", "_posts/2020-02-03-a.md", "", "pt-BR"),
        ("title: t", "en/_posts/2020-02-03-a.md", "lang: de", "en"),
        ("title: t", "_posts/zh-TW/2020-02-03-a.md", "", "zh-TW"),
        ("permalink: /ja/a/", "_posts/2020-02-03-a.md", "", "ja"),
        ("title: t", "_posts/2020-02-03-a.md", "locale: en_US", "en_US"),
        ("title: t", "js/_posts/2020-02-03-a.md", "", None),
        ("lang: 'the one of the reader'", "_posts/2020-02-03-a.md", "", None),
        ("title: t", "ja/_posts/2020-02-03-a.md", "defaults: [{scope: {path: ''}, values: {lang: en}}]", "en"),
    ],
)
def test_languages(front: str, path: str, config: str, lang: str | None) -> None:
    assert read(front, path, config=config).lang == lang


@pytest.mark.parametrize(
    ("front", "image"),
    [
        ("image: /a.png", "/a.png"),
        ("image: {path: /a.png, alt: b}", "/a.png"),
        ("image: {url: /a.png}", None),
        ("image: [a.png]", None),
        ("image:", None),
    ],
)
def test_pictures(front: str, image: str | None) -> None:
    assert read(front).image == image
    default = "defaults: [{scope: {path: ''}, values: {image: {path: /d.png}, author: {name: D}}}]"
    found = read("title: t", config=default)
    assert (found.image, found.authors) == ("/d.png", ("D",))


MORE = "excerpt_separator: <!--more-->"


@pytest.mark.parametrize(
    ("front", "body", "config", "digest"),
    [
        ("description: The lead.\nexcerpt: Other.", "A<!--more-->B", MORE, "The lead."),
        ("description: ''\nexcerpt: |\n  One.\n  Two.", "Text.", "", "One. Two."),
        ("title: t", "A *b*.\n\nC.\n\n<!--more-->\n\nD.", MORE, "A b.\nC."),
        (MORE, "A.\n<!--more-->\nB.", "", "A."),
        ("excerpt_separator: '~~'", "A.\n<!--more-->\nB.", MORE, None),
        ("title: t", "A.\n\nB.", MORE, None),
        ("title: t", "A.\n\nB.", "", None),
        ("title: t", "A [b][c].\n<!--more-->\n[c]: https://a.example\n", MORE, "A b."),
        ("title: t", "<!--more-->B.", MORE, None),
        ("description: [a]", "B.", "", None),
    ],
)
def test_leads(front: str, body: str, config: str, digest: str | None) -> None:
    found = read(front, body=body, config=config)
    assert found.digest == digest and found.digest_credit is None


def test_a_lead_with_many_references_takes_linear_time() -> None:
    lines = "".join(f"[{number}]: /a\n" for number in range(50_000))
    begun = time.process_time()
    found = read(MORE, path="_posts/2020-02-03-a.txt", body=f"{'[x] ' * 50_000}<!--more-->\n{lines}")
    assert found.digest is not None and time.process_time() - begun < 10


def test_addresses() -> None:
    config = "url: https://a.example\nbaseurl: /b\npermalink: /:slug/"
    assert read("slug: X y", config=config).url == "https://a.example/b/x-y/"
    assert read("title: t").url == "/2020/02/03/a.html"
    assert read("title: t", "old_post/2020-02-03-a.md").url is None
    assert read("title: t", "_posts/no-date.md").url is None
    # A time without a zone is in the site's zone here, and in UTC for Jekyll, whose address it is.
    shanghai = "timezone: Asia/Shanghai"
    assert read("date: 2020-02-03 20:00:00", config=shanghai).url == "/2020/02/04/a.html"
    assert read("date: 2020-02-03 20:00:00 +0800", config=shanghai).url == "/2020/02/03/a.html"


def test_the_archives_own_feeds_have_none_of_it() -> None:
    front = b"---\ntitle: t\nauthor: A\nlang: en\nimage: b\ndescription: c\n---\n\nText.\n"
    site = Site(lang="zh", excerpt_separator="T", address="https://a.example")
    found = parse_post(RawPost(path="_posts/2022-03-01-202203010000000001.md", data=front), site)
    assert isinstance(found, Post)
    assert (found.authors, found.lang, found.image, found.digest, found.url) == ((), None, None, None, None)
