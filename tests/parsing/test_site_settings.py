from __future__ import annotations

import pytest

from newsdata.parsing.permalinks import NO_PERMALINK, post_template
from newsdata.parsing.site import read_site
from newsdata.parsing.site_settings import language
from newsdata.schema import Site


def read(config: str) -> Site:
    return read_site(config.encode())[0]


def test_nothing_is_said() -> None:
    assert read("") == Site() == read_site(None)[0]
    assert Site().permalink == post_template(None)


def test_title_language_and_address() -> None:
    site = read(
        "title: >\n  My\n  site\nurl: https://a.example/\nbaseurl: /blog/\nlanguage: pt-BR\nexcerpt_separator: <!--more-->"
    )
    assert (site.title, site.address, site.lang, site.excerpt_separator) == (
        "My site",
        "https://a.example/blog",
        "pt-BR",
        "<!--more-->",
    )
    assert read("name: N\nbaseurl: b").title == "N" and read("baseurl: b").address == "/b"
    assert read("title: [a]\nurl: {a: b}\nlang: no\nexcerpt_separator: ''") == Site()


@pytest.mark.parametrize(
    ("config", "template"),
    [
        ("permalink: pretty", post_template("pretty")),
        ("permalink: /:slug/", "/:slug/"),
        ("permalink:", post_template(None)),
        ("permalink: pretty\ncollections: {posts: {permalink: '/:year'}}", "/:year"),
        ("permalink: /:slug/\ncollections: [books]", "/:slug/"),
        ("plugins: [jekyll-feed, jekyll-sitemap]", post_template(None)),
        ("plugins: [jekyll-feed, jekyll-polyglot]", NO_PERMALINK),
        ("gems: my-permalinks", NO_PERMALINK),
        ("permalink: [", NO_PERMALINK),
    ],
)
def test_the_template_of_addresses(config: str, template: str) -> None:
    assert read(config).permalink == template


@pytest.mark.parametrize(("written", "read"), [("en", "en"), ("zh_CN", "zh_CN"), ("zh-Hans-CN", "zh-Hans-CN"), ("English", None), ("", None), (["en"], None)])  # fmt: skip
def test_languages(written: object, read: str | None) -> None:
    assert language(written) == read
