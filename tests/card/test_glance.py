"""One article and the tables beside the pictures."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from markdown_it import MarkdownIt

from newsdata.card.citation import Citation
from newsdata.card.glance import show_charts, show_picture, show_sample
from newsdata.storage.manifest import Manifest

from .small_version import build_version

CITATION = Citation(title="news")
HOSTILE = "a|b `c` ``` <script>x</script> ![x](http://e.example/a.png) <!-- newsdata:columns -->\n# H\n\\]"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return build_version(tmp_path_factory.mktemp("version"))


def changed(manifest: Manifest, **statistics: Any) -> Manifest:
    return dataclasses.replace(manifest, statistics={**(manifest.statistics or {}), **statistics})


def test_the_sample_is_a_table_of_columns(manifest: Manifest) -> None:
    shown = show_sample(manifest, CITATION)
    assert "| `title` | 甲厂公布数字 |" in shown and '| `mentions` | `{"start": 0}` |' in shown
    free = dataclasses.replace(manifest, configuration={**manifest.configuration, "text": "none"})
    assert "this version holds no text" in show_sample(free, CITATION)
    assert show_sample(changed(manifest, sample={}), CITATION) == ""


def test_each_picture_has_a_table(manifest: Manifest) -> None:
    shown = show_charts(manifest, CITATION)
    assert "| `train` | 8 | 2021-12-05 | 2022-01-02 | 2021-12-05 (5) | 25.0% |" in shown
    assert "| 1 to 49 | 6 (75.0%) | 3 (100%) |" in shown and "| 50 or more | 1 (12.5%) | 0 (0%) |" in shown
    assert "| 甲报 | 9 | 81.8% |" in shown and "| none named | 2 | 18.2% |" in shown
    assert shown.count("](assets/") == 3


def test_without_publishers_there_is_no_word_of_them(manifest: Manifest) -> None:
    some = {name: value for name, value in (manifest.statistics or {}).items() if name != "publishers"}
    nobody = changed(manifest, publishers={"names": 0, "top": [], "others": 0, "none": 11})
    for version in (dataclasses.replace(manifest, statistics=some), nobody):
        shown = show_charts(version, CITATION)
        assert "ublisher" not in shown and shown.count("](assets/") == 2


def test_a_picture_is_described_by_a_sentence(manifest: Manifest) -> None:
    shown = show_picture(manifest, "articles-over-time")
    assert shown.startswith("![Articles per day: 8 articles in train (2021-12-05 to 2022-01-02); 3 articles in test")
    assert show_picture(dataclasses.replace(manifest, statistics=None), "lengths") == ""


def balance(**changes: Any) -> dict[str, Any]:
    found = {
        "names": 12,
        "top": [{"name": "甲报", "articles": {"train": 1234, "test": 1}}, {"name": "乙报", "articles": {"test": 3}}],
        "others": {"train": 7, "test": 0},
        "none": {"train": 0, "test": 2},
        "unseen": {"names": 2, "articles": 4, "top": [{"name": "乙报", "articles": 3}]},
    }
    return {**found, **changes}


def test_classes_are_shown_by_split(manifest: Manifest) -> None:
    shown = show_charts(changed(manifest, classes={"publisher": balance(), "other": balance()}), CITATION)
    table = shown[shown.index("### Classes by split") :].split("\n\n")
    assert table[2].splitlines()[0] == "| Publisher | `train` | `test` |"
    assert table[2].splitlines()[2:] == [
        "| 甲报 | 1,234 | 1 |",
        "| 乙报 | 0 | 3 |",
        "| 10 other publishers | 7 | 0 |",
        "| none | 0 | 2 |",
    ]
    assert table[3:] == ["4 articles of `test` have one of 2 publishers that no article of `train` has: 乙报 (3), …"]
    nothing = balance(unseen={"names": 0, "articles": 0, "top": []}, names=2, none={})
    shown = show_charts(changed(manifest, classes={"category": nothing}), CITATION)
    assert shown.endswith(
        "| Category | `train` | `test` |\n| --- | ---: | ---: |\n| 甲报 | 1,234 | 1 |\n| 乙报 | 0 | 3 |"
    )
    for empty in ({}, {"category": balance(top=[], names=0)}):
        assert show_charts(changed(manifest, classes=empty), CITATION) == show_charts(manifest, CITATION)


def test_names_cannot_change_the_markup(manifest: Manifest) -> None:
    def shape(name: str) -> list[str]:
        publishers = {"names": 1, "top": [{"name": name, "articles": 9}], "others": 0, "none": 2}
        classes = balance(
            top=[{"name": name, "articles": {}}],
            unseen={"names": 1, "articles": 1, "top": [{"name": name, "articles": 1}]},
        )
        sample = {"title": name, "url": name}
        hostile = changed(
            manifest, publishers=publishers, classes={"publisher": classes, "category": classes}, sample=sample
        )
        text = f"{show_sample(hostile, CITATION)}\n\n{show_charts(hostile, CITATION)}"
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
        inner = [child.type for token in tokens for child in token.children or ()]
        return [token.type for token in tokens] + [
            kind for kind in inner if kind not in ("text", "text_special", "code_inline")
        ]

    assert shape(HOSTILE) == shape("word")
