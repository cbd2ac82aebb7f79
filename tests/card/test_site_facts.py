"""The card of a site takes title, language and address from its `_config.yml`."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.card.readme import read_card
from newsdata.card.site_facts import SiteFacts, facts_of_site, with_site
from newsdata.storage.manifest import Manifest, read_manifest

from ..conftest import write_archive

CONFIG = b"title: 'The *river* post'\nlang: zh-Hans\nurl: https://river.example/\nbaseurl: news\n"
POSTS = {
    f"_posts/2021-0{month}-01-p.md": f"---\ntitle: P{month}\nauthor: Ada\n---\nText {month}.\n".encode()
    for month in range(1, 4)
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    archive = write_archive(folder / "in", {**POSTS, "_config.yml": CONFIG}, timezone=None)
    return newsdata.build(archive, folder / "out", num_proc=1).path


def bare(**configuration: object) -> Manifest:
    return Manifest(
        dataset_version="1.0.0", schema_version="2.0", configuration=configuration, source={}, tools={}, accounting={},
        columns={}, shards=(),
    )  # fmt: skip


def test_the_card_of_a_site(built: Path) -> None:
    card = (built / "README.md").read_text("utf-8")
    header = card.split("---\n")[1]
    assert "pretty_name: The *river* post\n" in header and "language:\n- zh\n" in header
    assert "\n# The &#42;river&#42; post\n" in card
    assert "of the Jekyll site The &#42;river&#42; post (https&#58;//river.example/news)." in card
    common, apart = card.split("Only the first archive of newsdata has values in these:")[:2]
    assert "| `authors` | list of string | 100% |" in common and "| `mentions` |" not in common.split("## Columns")[1]
    assert "| `mentions` |" in apart and "| `chart_symbols` |" in apart
    assert newsdata.verify(built).faults == ()
    assert newsdata.load_pandas(built, split="train")["url"].iloc[0] == "https://river.example/news/2021/01/01/p.html"


def test_the_card_of_the_first_archive_is_its_own(demo: Path) -> None:
    card = (demo / "1.0.0" / "README.md").read_text("utf-8")
    assert "pretty_name: Jekyll news archive\n" in card and "Only the first archive of newsdata" not in card
    assert "A spreadsheet takes 18 digits for a number" in card
    assert facts_of_site(read_manifest(demo / "1.0.0")) == SiteFacts(None, None, None)


@pytest.mark.slow
def test_a_title_alone_makes_another_version(built: Path, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", {**POSTS, "_config.yml": CONFIG}, timezone=None)
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    write_archive(archive, {"_config.yml": CONFIG.replace(b"river* post", b"lake* post")}, timezone=None)
    second = newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert second.version == "1.0.1" and "pretty_name: The *lake* post" in (second.path / "README.md").read_text(
        "utf-8"
    )


@pytest.mark.parametrize(
    ("configuration", "facts"),
    [
        ({}, SiteFacts(None, None, None)),
        ({"site_title": "a\nb", "site_language": "en_US", "site_address": "https://a.example"}, SiteFacts("a b", "en", "https://a.example")),
        ({"site_title": " ", "site_language": "xx", "site_address": "/blog"}, SiteFacts(None, None, None)),
    ],
)  # fmt: skip
def test_what_is_taken(configuration: dict[str, object], facts: SiteFacts) -> None:
    assert facts_of_site(bare(**configuration)) == facts


def test_a_card_of_a_curator_stays() -> None:
    manifest = bare(site_title="T", site_language="en")
    assert with_site({"pretty_name": "Mine"}, "# Jekyll news archive\n", manifest) == (
        {"pretty_name": "Mine"},
        "# Jekyll news archive\n",
    )
    header, body = with_site({"pretty_name": "Jekyll news archive", "language": ["de"]}, read_card(), manifest)
    assert header == {"pretty_name": "T", "language": ["de"]} and "\n# T\n" in body
