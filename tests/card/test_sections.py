from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from newsdata.card.citation import Citation
from newsdata.card.contents import summarize
from newsdata.card.sections import SECTIONS
from newsdata.storage.manifest import Manifest

from .small_version import build_version


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return build_version(tmp_path_factory.mktemp("version"))


def section(part: str, manifest: Manifest, **changes: Any) -> str:
    return SECTIONS[part](dataclasses.replace(manifest, **changes), Citation(title="News & views"))


def with_settings(manifest: Manifest, **settings: object) -> dict[str, object]:
    return {"configuration": {**manifest.configuration, **settings}}


def test_summary(manifest: Manifest) -> None:
    assert summarize(manifest) == (
        "Version 1.2.0 holds 11 articles, dated 2021-12-05 to 2022-02-03 (Asia/Shanghai), made from 1 post of a Jekyll site."
    )
    free = dataclasses.replace(manifest, accounting={}, configuration={"text": "none"})
    assert summarize(free) == (
        "Version 1.2.0 holds 11 articles (UTC), made from 1 post of a Jekyll site. It holds no text of the posts."
    )


@pytest.mark.parametrize("part", SECTIONS)
def test_a_version_without_anything_renders(part: str) -> None:
    bare = Manifest(
        dataset_version="1.0.0", schema_version="2.0", configuration={}, source={}, tools={}, accounting={}, columns={},
        shards=(),
    )  # fmt: skip
    empty = {
        "text",
        "baselines",
        "sample",
        "quickstart",
        "splits",
        "charts",
        "columns",
        "leakage",
        "duplicates",
        "accounting",
        "changes",
        "details",
    }
    assert (section(part, bare) == "") == (part in empty)


def test_quick_start_loads_every_config(manifest: Manifest) -> None:
    for repository, where in ((None, "str(Path.cwd())"), ("org/news", '"org/news"')):
        code = SECTIONS["quickstart"](manifest, Citation(title="a", repository=repository))
        assert f"where = {where}" in code
        assert 'train = load_dataset(where, split="train")  # config "articles" is the default' in code
        assert 'posts = load_dataset(where, "posts", split="posts")' in code
        assert 'newsdata.load_dataset(where, split="train", revision="1.2.0")' in code


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"test_from": None, "test_until": None}, ["There are no borders between splits"]),
        (
            {"validation_from": "2022-01-15", "split_scheme": "2"},
            [
                "- `train`: before 2022-01-15\n",
                "- `validation`: from 2022-01-15 until the day before 2022-02-01\n",
                "- `test`: from 2022-02-01 to 2022-02-28, inclusive\n",
                "- `newer`: after 2022-02-28;",
                "This is split scheme 2;",
            ],
        ),
        ({"gap_days": 1}, ["Articles within 1 day of a border are excluded"]),
        ({"gap_days": 3}, ["Articles within 3 days of a border are excluded"]),
    ],
)
def test_rules_of_the_splits(manifest: Manifest, settings: dict[str, object], lines: list[str]) -> None:
    rules = section("rules", manifest, **with_settings(manifest, **settings))
    for line in lines:
        assert line in rules


def test_reasons_of_excluded_articles_are_counted(manifest: Manifest) -> None:
    rules = section("rules", manifest, accounting={"excluded_by_reason": {"gap": 1200, "moved": 0, "other": 1}})
    assert "| `gap` | its date is in the gap around a border | 1,200 |" in rules
    assert "`moved`" not in rules and "| `other` |  | 1 |" in rules


def test_excluded_shows_only_the_columns_that_articles_lack(manifest: Manifest) -> None:
    extra = dataclasses.replace(manifest.shards[0], config="excluded", split="excluded")
    columns = section("columns", manifest, shards=(*manifest.shards, extra))
    assert "`excluded` has the columns of `articles`, and:\n\n| Column" in columns
    assert columns.count("| `title` |") == 2  # of articles and posts
    assert section("columns", manifest, shards=(extra,)).count("| `title` |") == 1


def test_examples_of_leaks_are_left_out_of_a_text_free_version(manifest: Manifest) -> None:
    assert "- title `甲厂公布`" in section("leakage", manifest)
    free = section("leakage", manifest, **with_settings(manifest, text="none"))
    assert "甲厂公布" not in free and "closest pairs" not in free and "| this version | test | train |" in free


def test_changes_newest_first(manifest: Manifest) -> None:
    changes = ({"version": "1.0.0"}, {"version": "1.1.0", "bump": "minor", "reasons": ["1 rows added to <b>", "x"]})
    assert section("changes", manifest, changes=changes) == (
        "- **1.1.0** (minor): 1 row added to &#60;b&#62;; x\n- **1.0.0**"
    )


def test_citation_is_bibtex_without_special_characters(manifest: Manifest) -> None:
    citation = SECTIONS["citation"](manifest, Citation(title="50% of {News} & views_\\"))
    assert "@misc{50_of_news_views," in citation.splitlines()
    title = r"50\% of \textbraceleft{}News\textbraceright{} \& views\_\textbackslash{}"
    assert f"  title = {{{{{title}}}}}," in citation.splitlines()
