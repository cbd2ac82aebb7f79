"""The card: what is in it, what it leaves out, what it refuses; and `datasets` loads what it describes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from newsdata.card.citation import Citation
from newsdata.card.metadata import check_metadata
from newsdata.card.readme import card_facts, check_card, read_card, render_card
from newsdata.card.sections import SECTIONS
from newsdata.errors import CallError, DriftError
from newsdata.storage.manifest import Manifest

from .small_version import PAIR, ZONE, build_version

ROOT = Path(__file__).parents[2]
CARD = (ROOT / "dataset_card.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("version")


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    return build_version(folder)


def _header(readme: str) -> dict[str, Any]:
    header: dict[str, Any] = yaml.safe_load(readme.split("\n---\n")[0].removeprefix("---\n"))
    return header


def _with(manifest: Manifest, **accounting: object) -> Manifest:
    return dataclasses.replace(manifest, accounting={**manifest.accounting, **accounting})


def _sections(readme: str) -> dict[str, str]:
    """Each heading of the body and what stands below it, down to the next heading."""
    body = readme.split("\n---\n", 1)[1]
    lines = body.splitlines()
    starts = [t.map for t in MarkdownIt("commonmark").parse(body) if t.type == "heading_open" and t.map]
    ends = [start for start, _ in starts[1:]] + [len(lines)]
    return {lines[a]: "\n".join(lines[b:end]).strip() for (a, b), end in zip(starts, ends, strict=True)}


def test_card_has_every_section(manifest: Manifest) -> None:
    readme = render_card(CARD, manifest, name="org/news")
    sections = _sections(readme)
    assert all(sections.values()), [heading for heading, text in sections.items() if not text]
    assert "newsdata:" not in readme
    assert "| `articles` | `train` | 8 | 2021-12-05 | 2022-01-02 | 2 |" in sections["## Configs and splits"]
    assert "| `mentions` | list of {start, end, text," in sections["## Columns"]
    assert "| 36.4% | spans that the publisher linked" in sections["## Columns"]
    assert "- `train`: before 2022-02-01" in sections["## How the splits were made"]
    assert "| a random split | test | train | 3 | 50.0% | 0% | 1.2% |" in sections["## Leakage between splits"]
    assert "| `empty` | the file has no bytes" in sections["## Where every file went"]
    assert sections["## Changelog"].index("1.2.0") < sections["## Changelog"].index("1.0.0")
    assert "@misc{jekyll_news_archive," in sections["## Citation"]
    assert "No licence is known" in sections["## Personal data and rights"]


def test_card_is_deterministic_and_agrees_with_the_data(manifest: Manifest) -> None:
    assert check_card(CARD, manifest) == ()
    assert render_card(CARD, manifest, name="a") == render_card(CARD, manifest, name="a")


def test_parts_without_content_are_left_out(manifest: Manifest) -> None:
    bare = dataclasses.replace(manifest, leakage=None, duplicates={}, changes=(), files=())
    sections = _sections(render_card(CARD, bare, name="news"))
    assert all(sections.values())
    assert not {"## Leakage between splits", "## Near-copies", "## Changelog"} & sections.keys()


def test_a_version_without_rows_has_no_configs(manifest: Manifest) -> None:
    empty = dataclasses.replace(_with(manifest, posts_by_feed={}), shards=(), columns={})
    readme = render_card(CARD, empty, name="news")
    header = _header(readme)
    assert "configs" not in header
    assert "dataset_info" not in header
    assert all(_sections(readme).values())
    assert "## Quick start" not in readme


def test_another_site_gets_no_word_about_the_finance_archive(manifest: Manifest) -> None:
    site = _with(manifest, posts_by_feed={"site": 12})
    readme = render_card(CARD, site, name="blog")
    header = _header(readme)
    assert header["license"] == "unknown"
    assert "language" not in header
    assert "finance" not in readme
    assert "finews" not in readme
    assert "Known faults of the annotations" not in readme
    assert check_card(CARD, site) == ()


def test_a_build_without_text_says_so_and_shows_no_pair(manifest: Manifest) -> None:
    sample = {**(manifest.statistics or {}), "sample": {"article_id": "7"}}
    free = dataclasses.replace(manifest, configuration={**manifest.configuration, "text": "none"}, statistics=sample)
    readme = render_card(CARD, free, name="news")
    assert "This version holds no text" in readme
    assert "newsdata rehydrate" in readme
    assert "甲厂公布" not in readme
    assert "甲厂公布" in render_card(CARD, manifest, name="news")
    assert 'row["mentions"]' not in readme


def test_pictures_stand_beside_their_tables(manifest: Manifest) -> None:
    sections = _sections(render_card(CARD, manifest, name="news"))
    for heading, name in (
        ("### Over time", "articles-over-time"),
        ("### Length", "lengths"),
        ("### Publishers", "publishers"),
        ("## Where every file went", "files"),
    ):
        assert f"](assets/{name}.svg)" in sections[heading] and "| ---" in sections[heading]


def test_a_version_made_before_has_no_pictures(manifest: Manifest) -> None:
    readme = render_card(CARD, dataclasses.replace(manifest, statistics=None), name="news")
    assert ".svg" not in readme and "## At a glance" not in readme and "## One article" not in readme
    assert all(_sections(readme).values())


def test_header_names_exactly_the_shards(manifest: Manifest) -> None:
    header = _header(render_card(CARD, manifest, name="news"))
    assert header["size_categories"] == ["n<1K"]
    config = header["configs"][0]
    assert (config["config_name"], config["default"], config["version"]) == ("articles", True, "1.2.0")
    assert [file["path"] for file in config["data_files"]] == [
        "articles/train-*.parquet",
        "articles/test-*.parquet",
    ]
    info = header["dataset_info"][0]
    assert [(split["name"], split["num_examples"]) for split in info["splits"]] == [("train", 8), ("test", 3)]


def test_a_pattern_that_would_match_another_split_becomes_a_list(manifest: Manifest) -> None:
    stray = dataclasses.replace(manifest.shards[2], path="articles/train-test-2022-02-0000000.parquet")
    shards = (*manifest.shards[:2], stray, *manifest.shards[3:])
    files = _header(render_card(CARD, dataclasses.replace(manifest, shards=shards), name="a"))["configs"][0]
    assert files["data_files"][0]["path"] == [shard.path for shard in manifest.shards[:2]]


HOSTILE = "a|b `c` ``` <script>x</script> [x](javascript:y) **z** <!-- newsdata:columns -->\n\n# H\n| a |\n\\"


def test_data_cannot_change_the_markup(manifest: Manifest) -> None:
    clean = _shape(render_card(CARD, _spoiled(manifest, "word"), name="news"))
    assert _shape(render_card(CARD, _spoiled(manifest, HOSTILE), name="news")) == clean
    assert "<script" not in render_card(CARD, _spoiled(manifest, HOSTILE), name="news")
    assert _shape(render_card(CARD, manifest, name=HOSTILE)) == _shape(render_card(CARD, manifest, name="news"))


def _spoiled(manifest: Manifest, word: str) -> Manifest:
    return dataclasses.replace(
        _with(manifest, rejects_by_rule={word: 1}, ignored_by_reason={word: 2}, issues_by_code={word: 1}),
        configuration={**manifest.configuration, "split_scheme": word},
        tools={word: word},
        duplicates={word: word},
        leakage={"pairs": [PAIR | {word: word}], "random": [], "examples": [{"title": word, "other": word}]},
        changes=({"version": word, "notes": [word]},),
    )


def _shape(readme: str) -> list[tuple[str, int]]:
    """The blocks of a card and what is nested in each line, without words (a code span counts as words)."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(readme.split("\n---\n", 1)[1])
    shape = [(token.type, token.level) for token in tokens]
    inner = [(c.type, c.level) for t in tokens for c in t.children or () if c.type not in ("text", "code_inline")]
    return shape + [token for token in inner if token[0] != "text_special"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("<!-- newsdata:leakage --><!-- /newsdata:leakage -->", "", "the marker leakage is missing"),
        ("newsdata:leakage -->", "newsdata:leak -->", "the marker leak is unknown"),
        ("<!-- /newsdata:leakage -->", "", "the marker leakage is not closed"),
        (
            "## Changelog",
            "<!-- newsdata:changes --><!-- /newsdata:changes -->",
            "the marker changes is there twice",
        ),
        ("newsdata:changes --><!--", "newsdata:changes -->old<!--", "the part changes differs from the data"),
        ("`text_codes`", "`txt_codes`", "the prose names `txt_codes`"),
        ("`mentions.kind`", "`mentions.sort`", "the prose names `mentions.sort`"),
        ("- zh", "- chinese", "language: chinese is not an ISO 639 code"),
        ("- zh", "- no\n- NO", "language: False is not text"),
        ("license: other", "license: totally-bogus", "license: totally-bogus is not one"),
        ("license_name: none-stated\n", "", "license_name: is missing"),
        ("tags:", "pretty_name: B\ntags:", "pretty_name: is there twice in one map"),
        ("tags:", "size_categories: n>1T\ntags:", "size_categories: differs from the data"),
        ("<!-- /newsdata:if -->", "", "conditions cannot be nested"),
        ("newsdata:if feeds=", "newsdata:if fields=", "no such condition: fields"),
        ("---\npretty_name", "pretty_name", "there is no YAML header"),
    ],
)
def test_drift_is_found(manifest: Manifest, old: str, new: str, fault: str) -> None:
    assert old in CARD
    assert any(fault in found for found in check_card(CARD.replace(old, new), manifest))


def test_a_current_part_is_no_drift(manifest: Manifest) -> None:
    part = SECTIONS["rules"](manifest, Citation(title=""))
    assert check_card(CARD.replace("newsdata:rules --><!--", f"newsdata:rules -->\n{part}\n<!--"), manifest) == ()


@pytest.mark.parametrize("old", ["license_name: none-stated\n", "<!-- /newsdata:changes -->", "- zh"])
def test_a_faulty_card_is_not_rendered(manifest: Manifest, old: str) -> None:
    with pytest.raises(DriftError) as caught:
        render_card(CARD.replace(old, "- 7\n" if old == "- zh" else ""), manifest, name="news")
    assert caught.value.faults


def test_own_card_with_windows_lines_and_mark(manifest: Manifest) -> None:
    card = "\ufeff---\nlicense: mit\n---\n# Mine\n\n## Empty\n\n### Empty, too\n\n## Full\n\n### Deep\n\nText.\n"
    readme = render_card(card.replace("\n", "\r\n"), manifest, name="news")
    assert list(_sections(readme)) == ["# Mine", "## Full", "### Deep"]


def test_facts_are_what_the_card_says(manifest: Manifest) -> None:
    facts = card_facts(render_card(read_card(), manifest, name="news"))
    assert (facts["license"], facts["license_name"], facts["language"]) == ("other", "none-stated", ["zh"])
    assert facts["citation"].startswith("@misc{jekyll_news_archive,")
    assert card_facts("")["license"] is None


def test_default_card_is_the_one_at_the_top(tmp_path: Path) -> None:
    assert read_card() == CARD
    with pytest.raises(CallError, match="no-card"):
        read_card(tmp_path / "no-card.md")


def test_check_metadata_of_the_whole_header(manifest: Manifest) -> None:
    readme = render_card(CARD, manifest, name="news")
    text = yaml.safe_dump(_header(readme))
    assert check_metadata(text, [shard.path for shard in manifest.shards]) == ()
    assert any("matches no file" in fault for fault in check_metadata(text, ["README.md"]))


@pytest.mark.slow
def test_datasets_loads_every_config_and_split(
    folder: Path, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    (folder / "README.md").write_text(render_card(CARD, manifest, name="news"), encoding="utf-8")
    rows = {}
    for config in ("articles", "posts", "rejects"):
        loaded = datasets.load_dataset(str(folder), config, cache_dir=str(tmp_path))
        rows[config] = {split: len(part) for split, part in loaded.items()}
        streamed = datasets.load_dataset(str(folder), config, streaming=True)
        assert {split: len(list(part)) for split, part in streamed.items()} == rows[config]
    assert rows == {"articles": {"train": 8, "test": 3}, "posts": {"posts": 1}, "rejects": {"rejects": 1}}
    train = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path))
    assert str(train.info.version) == "1.2.0"
    mention = train[1]["mentions"][0]
    assert train[1]["text"][mention["start"] : mention["end"]] == mention["text"]
    assert train.features["published_at"].dtype == f"timestamp[ms, tz={ZONE}]"


def test_rewritten_rows_are_not_served_from_the_cache(tmp_path: Path) -> None:
    import datasets

    titles = []
    for title in ("甲厂公布数字", "乙厂公布数字"):
        manifest = build_version(tmp_path / "version", title)
        (tmp_path / "version" / "README.md").write_text(render_card(CARD, manifest, name="a"), encoding="utf-8")
        cache = str(tmp_path / "cache")
        titles.append(datasets.load_dataset(str(tmp_path / "version"), split="test", cache_dir=cache)[0]["title"])
    assert titles == ["甲厂公布数字", "乙厂公布数字"]
