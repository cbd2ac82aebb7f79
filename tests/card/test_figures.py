"""The parts about the build: every figure has its meaning beside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from newsdata.card.citation import Citation
from newsdata.card.figures import show_accounting, show_details, show_duplicates, show_leakage, show_provenance
from newsdata.parsing.site import classify
from newsdata.schema import Site
from newsdata.storage.manifest import Manifest, read_manifest

CITATION = Citation(title="news")


@pytest.fixture(scope="module")
def built(demo: Path) -> Manifest:
    return read_manifest(demo / "1.0.0")


@pytest.mark.parametrize("part", [show_accounting, show_details, show_provenance])
def test_every_figure_of_a_build_has_a_meaning(part: object, built: Manifest) -> None:
    assert callable(part)
    tables = part(built, CITATION).split("\n\n")
    lines = [line for table in tables if "| Meaning" in table for line in table.splitlines()[2:]]
    assert len(lines) > 5
    assert [line for line in lines if not all(cell.strip() for cell in line.strip("|").split("|"))] == []


def test_every_reason_to_ignore_a_file_has_a_meaning(built: Manifest) -> None:
    site = Site(exclude=("_posts/out.md",))
    names = [
        "a.md",
        "_config.yml",
        "_drafts/a.md",
        "_posts/.a.md",
        "_posts/a.md~",
        "vendor/_posts/a.md",
        "_posts/out.md",
        "_posts/a.png",
        "_posts/a",
    ]
    reasons = {reason for name in names if (reason := classify(name, site))} | {"redacted"}
    assert len(reasons) == 10
    counted = dataclasses.replace(built, accounting={"ignored_by_reason": dict.fromkeys(reasons, 1)}, duplicates={})
    lines = show_details(counted, CITATION).splitlines()[4:]
    assert len(lines) == 10 and not any("|  |" in line for line in lines)


def test_leaks_are_explained_by_column(built: Manifest) -> None:
    shown = show_leakage(built, CITATION)
    header = next(line for line in shown.splitlines() if line.startswith("| How"))
    for name in header.strip("| ").split(" | ")[4:]:
        assert f"- {name}: " in shown


def test_near_copies_in_a_sentence(built: Manifest) -> None:
    counts = {"articles": 200, "articles_with_copies": 5, "clusters_of_several": 2, "largest_cluster": 3}
    shown = show_duplicates(dataclasses.replace(built, duplicates=counts), CITATION)
    assert shown.startswith("5 of 200 articles (2.5%) have a near-copy")
    assert "They form 2 clusters; the largest has 3 articles." in shown
    assert show_duplicates(dataclasses.replace(built, duplicates={}), CITATION) == ""


def test_the_picture_of_the_files_stands_with_its_table(built: Manifest) -> None:
    shown = show_accounting(built, CITATION)
    assert "](assets/files.svg)" in shown and "| files seen | 49 | every file of the archive |" in shown


def test_the_card_says_which_articles_share_a_leak_group(built: Manifest) -> None:
    """Only by the doors that the version uses."""
    found = {"doors": {"digest": False, "head": False, "contained": True, "reworded": True}}
    text = show_duplicates(dataclasses.replace(built, duplicates=found), CITATION)
    assert (
        "if one text holds most of the other, or if one stands inside the other, however long that is, or if four"
        in text
    )
    assert "digest" not in text
