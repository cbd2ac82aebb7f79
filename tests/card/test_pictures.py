"""The pictures: the same bytes everywhere, nothing but shapes and words in them, and no publisher without text."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from newsdata import build
from newsdata.card.citation import Citation
from newsdata.card.glance import show_charts
from newsdata.card.pictures import draw_pictures, files_parts
from newsdata.storage.manifest import Manifest, read_manifest
from tests.conftest import ROOT

from .small_version import build_version

NAMES = ["articles-over-time", "lengths", "publishers", "files"]
HOSTILE = [
    "<script>alert(1)</script>",
    "]]></text><image href='x'/>",
    "\u202eback\u2066",
    "\x00\x1b[31m&",
    "长" * 100,
    "​",
    "שלום",
]
_DRAW = """
import hashlib, sys
from pathlib import Path
from newsdata.card.citation import Citation
from newsdata.card.glance import show_charts
from newsdata.card.pictures import draw_pictures
from newsdata.storage.manifest import read_manifest
for picture in draw_pictures(read_manifest(Path(sys.argv[1]))):
    print(hashlib.sha256((picture.alt + picture.svg).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return build_version(tmp_path_factory.mktemp("version"))


def changed(manifest: Manifest, **statistics: Any) -> Manifest:
    return dataclasses.replace(manifest, statistics={**(manifest.statistics or {}), **statistics})


def words_of(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("}text")]


def test_a_build_writes_what_the_manifest_gives(demo: Path) -> None:
    folder = demo / "1.0.0"
    pictures = draw_pictures(read_manifest(folder))
    assert [picture.path for picture in pictures] == [f"assets/{name}.svg" for name in NAMES]
    listed = {file.path for file in read_manifest(folder).files}
    for picture in pictures:
        assert picture.path in listed and (folder / picture.path).read_text("utf-8") == picture.svg


@pytest.mark.slow
def test_the_same_bytes_in_another_place_and_language(demo: Path) -> None:
    seen = set()
    for zone, language, seed in (
        ("UTC", "C", "0"),
        ("America/Caracas", "tr_TR.UTF-8", "1"),
        ("Asia/Kathmandu", "ar_EG", "77"),
    ):
        environment = {**os.environ, "TZ": zone, "LC_ALL": language, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", _DRAW, str(demo / "1.0.0")]
        seen.add(subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout)
    assert len(seen) == 1 and len(seen.pop().split()) == 4


def test_only_shapes_and_words(demo: Path) -> None:
    for picture in draw_pictures(read_manifest(demo / "1.0.0")):
        root = ElementTree.fromstring(picture.svg)
        assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "rect", "path", "text"}
        names = {name for element in root.iter() for name in element.attrib}
        assert not names & {"id", "style", "class", "href"} and not any(name.startswith("on") for name in names)
        assert picture.svg.isascii() or picture.path == "assets/publishers.svg"
        assert len(picture.alt) > 40 and any(letter.isdigit() for letter in picture.alt)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_publisher_with_a_hostile_name(manifest: Manifest, name: str) -> None:
    found = {"names": 1, "top": [{"name": name, "articles": 9}], "others": 0, "none": 2}
    usual = changed(manifest, publishers={**found, "top": [{"name": "甲", "articles": 9}]})
    (picture,) = (one for one in draw_pictures(changed(manifest, publishers=found)) if "publishers" in one.path)
    (expected,) = (one for one in draw_pictures(usual) if "publishers" in one.path)
    tags, others = ([element.tag for element in ElementTree.fromstring(p.svg).iter()] for p in (picture, expected))
    assert tags == others
    assert all(words.isprintable() and len(words) < 30 for words in words_of(picture.svg))
    assert (
        picture.alt.isprintable() and "<" not in picture.svg.replace("\n<", "").replace("></", "").replace("</", "")[1:]
    )


def test_publishers_beyond_the_named_ones(manifest: Manifest) -> None:
    top = [{"name": f"报{number:02}", "articles": 20 - number} for number in range(12)]
    found = {"names": 30, "top": top, "others": 40, "none": 0}
    (picture,) = (one for one in draw_pictures(changed(manifest, publishers=found)) if "publishers" in one.path)
    words = words_of(picture.svg)
    assert "报11" in words and "18 others" in words and "40" in words and "none named" not in words


@pytest.mark.slow
def test_without_text_there_is_no_publisher(tmp_path: Path) -> None:
    folder = build(ROOT / "examples" / "archive", tmp_path, text="none", num_proc=1).path
    pictures = draw_pictures(read_manifest(folder))
    assert [picture.path for picture in pictures] == [f"assets/{name}.svg" for name in NAMES if name != "publishers"]
    assert sorted(path.name for path in (folder / "assets").iterdir()) == sorted(
        f"{name}.svg" for name in NAMES if name != "publishers"
    )
    for name in ("manifest.json", "README.md", *(picture.path for picture in pictures)):
        assert not any(
            publisher in (folder / name).read_text("utf-8") for publisher in ("望山财经", "沧浪证券报", "鹭洲晚报")
        )


def test_a_version_made_before_has_none(manifest: Manifest) -> None:
    assert draw_pictures(dataclasses.replace(manifest, statistics=None)) == ()


def test_a_border_is_a_dashed_line(manifest: Manifest) -> None:
    drawn = draw_pictures(manifest)[0]
    assert drawn.svg.count("stroke-dasharray") == 1 and "test from 2022-02-01" in words_of(drawn.svg)
    assert "8 articles in train (2021-12-05 to 2022-01-02); 3 articles in test (2022-02-03 to 2022-02-03)" in drawn.alt


@pytest.mark.parametrize("count", [0, 1, 3, 999, 10**6, 2**50])
def test_numbers_of_any_size(manifest: Manifest, count: int) -> None:
    articles = {split: {"2021-12-05": count, "2022-03-03": 1} for split in ("train", "validation", "test", "newer")}
    lengths = {"from": [0, 5], "articles": {"train": [count, count], "test": [0, 0]}}
    publishers = {"names": 2, "top": [{"name": "甲", "articles": count}], "others": count, "none": count}
    many = changed(manifest, articles=articles, lengths=lengths, publishers=publishers)
    accounting = {"files_seen": count, "posts": count, "rejects": count, "ignored": 0, "articles": count, "excluded": 1}
    for picture in draw_pictures(dataclasses.replace(many, accounting=accounting)):
        assert ElementTree.fromstring(picture.svg).tag.endswith("svg")


@pytest.mark.parametrize(
    "statistics",
    [
        {"articles": {"other": {"2021-12-05": 3}}, "near_copies": {"other": 3}},
        {"articles": {}, "lengths": {"from": [0], "articles": {}}, "near_copies": {}},
        {"lengths": {"from": [0, 5], "articles": {"other": [1, 1]}}, "near_copies": {"train": 2**50}},
        {"publishers": {"names": 0, "top": [{"name": "\u200b", "articles": 0}], "others": 7, "none": 0}},
    ],
)
def test_statistics_that_contradict_each_other(manifest: Manifest, statistics: dict[str, Any]) -> None:
    forged = changed(manifest, **statistics)
    for picture in draw_pictures(forged):
        assert ElementTree.fromstring(picture.svg).tag.endswith("svg")
    assert show_charts(forged, Citation(title="news"))


def test_the_parts_of_the_files_add_up(demo: Path) -> None:
    accounting = read_manifest(demo / "1.0.0").accounting
    assert sum(count for _, count in files_parts(accounting)) == accounting["files_seen"]
