"""A curator's own card: taken as it is written, and kept until there is another one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

import newsdata
from newsdata.card.readme import read_card, read_own_card
from newsdata.card.sections import SECTIONS
from newsdata.errors import CallError, ManifestError
from newsdata.storage.manifest import write_manifest

from ..conftest import ROOT, many_posts, write_archive

OWN = "---\npretty_name: My news\nlicense: mit\n---\n# Mine\n\n<!-- newsdata:splits --><!-- /newsdata:splits -->\n"


def name_of(made: newsdata.Build) -> object:
    return newsdata.info(made.path)["pretty_name"]


@pytest.mark.slow
def test_the_card_of_this_project_can_be_given(tmp_path: Path) -> None:
    given = newsdata.build(ROOT / "examples/archive", tmp_path / "a", card=ROOT / "dataset_card.md", num_proc=1)
    brought = newsdata.build(ROOT / "examples/archive", tmp_path / "b", num_proc=1)
    assert (given.path / "manifest.json").read_bytes() == (brought.path / "manifest.json").read_bytes()
    assert newsdata.build(ROOT / "examples/archive", tmp_path / "b", card=ROOT / "dataset_card.md").created is False


@pytest.mark.parametrize("end", ["", "<!-- newsdata:if feeds=site -->\nx\n", "<!-- /newsdata:splits -->\n"])
def test_a_faulty_card_is_refused_before_anything_is_read(tmp_path: Path, end: str) -> None:
    card = tmp_path / "card.md"
    card.write_text(OWN + end if end else "# No header\n", encoding="utf-8")
    with pytest.raises(CallError, match=r"card\.md"):
        newsdata.build(tmp_path / "no-archive", tmp_path / "out", card=card, num_proc=1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("license: mit\n", "", "license: is missing; write `unknown`"),
        ("license: mit", "license: mitt", "license: mitt is not one"),
        ("license: mit", "license: mit\nlanguage: [no]", "language: False is not text"),
    ],
)
def test_a_header_against_the_rules_is_found_in_its_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    card = tmp_path / "card.md"
    for ends in ("\n", "\r\n"):
        card.write_bytes(OWN.replace(old, new).replace("\n", ends).encode("utf-8-sig"))
        with pytest.raises(CallError, match=rf"card\.md: {said}"):
            read_own_card(card)
    generated = OWN.replace("license: mit", "license: mit\nconfigs: 5")  # it is replaced in a version
    card.write_text(generated, encoding="utf-8")
    assert read_own_card(card) == generated


@pytest.mark.slow
def test_an_own_card_stays_until_there_is_another(tmp_path: Path) -> None:
    archive, card = write_archive(tmp_path / "in", many_posts(4)), tmp_path / "card.md"
    card.write_text(OWN, encoding="utf-8")
    first = newsdata.build(archive, tmp_path / "out", card=card, num_proc=1)
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).created is False
    write_archive(archive, many_posts(1, start_day=20))
    second = newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert (name_of(first), name_of(second), second.version) == ("My news", "My news", "1.1.0")
    assert (second.path / "dataset_card.md").read_text(encoding="utf-8") == OWN
    assert newsdata.verify(tmp_path / "out").faults == ()
    elsewhere = newsdata.build(archive, tmp_path / "full", base=first.path, num_proc=1, cache=False)
    assert (elsewhere.path / "README.md").read_bytes() == (second.path / "README.md").read_bytes()
    third = newsdata.build(archive, tmp_path / "out", card=ROOT / "dataset_card.md", num_proc=1)
    assert (third.version, name_of(third)) == ("1.1.1", "Jekyll news archive")
    assert not (third.path / "dataset_card.md").exists()
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).created is False


def test_an_own_card_that_is_damaged_is_not_followed(tmp_path: Path) -> None:
    archive, card = write_archive(tmp_path / "in", many_posts(4)), tmp_path / "card.md"
    card.write_text(OWN, encoding="utf-8")
    made = newsdata.build(archive, tmp_path / "out", card=card, num_proc=1)
    (made.path / "dataset_card.md").write_text(OWN + "more", encoding="utf-8")
    with pytest.raises(ManifestError, match="dataset_card"):
        newsdata.build(archive, tmp_path / "out", num_proc=1)


@pytest.mark.slow
def test_an_own_card_comes_back_with_the_words(tmp_path: Path) -> None:
    archive, card = write_archive(tmp_path / "in", many_posts(4)), tmp_path / "card.md"
    card.write_text(OWN, encoding="utf-8")
    newsdata.build(archive, tmp_path / "free", card=card, text="none", num_proc=1)
    full = newsdata.rehydrate(tmp_path / "free", archive, tmp_path / "full", num_proc=1)
    assert newsdata.info(full.path)["pretty_name"] == "My news"
    assert read_card(full.path / "dataset_card.md") == OWN


CITED = OWN.replace("license: mit\n", "license: mit\nauthors:\n- Lovelace, Ada\nyear: 2022\nrepository: {}\n")


def test_the_citation_reaches_every_file_of_a_version(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(CITED.format("lab/mine") + "\n<!-- newsdata:citation --><!-- /newsdata:citation -->\n", "utf-8")
    archive = write_archive(tmp_path / "in", many_posts(4))
    made = newsdata.build(archive, tmp_path / "out", card=card, num_proc=1)
    assert "CITATION.cff" in [file.path for file in made.manifest.files]
    cff = yaml.safe_load((made.path / "CITATION.cff").read_text("utf-8"))
    assert (cff["title"], cff["license"]) == ("My news", "MIT")
    assert cff["authors"] == [{"family-names": "Lovelace", "given-names": "Ada"}]
    facts = newsdata.info(made.path)
    assert facts["citation"].startswith("@misc{my_news_2022,\n  author = {Lovelace, Ada},")
    assert (facts["authors"][0]["name"], facts["year"], facts["repository"]) == ("Lovelace", 2022, "lab/mine")
    assert newsdata.verify(tmp_path / "out").faults == ()
    card.write_text(CITED.format("no name"), "utf-8")
    with pytest.raises(CallError, match=r"card\.md: repository: 'no name' is not of the form owner/name"):
        newsdata.build(archive, tmp_path / "out", card=card, num_proc=1)


def test_an_unknown_marker_is_told_which_there_are(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(OWN.replace("splits", "splitz"), "utf-8")
    with pytest.raises(CallError) as caught:
        newsdata.build(tmp_path / "in", tmp_path / "out", card=card, num_proc=1)
    assert caught.value.reason.count("the marker splitz is unknown") == 1
    assert f"there are: {', '.join(SECTIONS)}" in caught.value.reason and "--template" in str(caught.value.hint)


@pytest.mark.slow
def test_a_version_from_before_has_no_citation_file_until_something_changes(tmp_path: Path) -> None:
    """It stays as it is: an unchanged archive gives no new version for a file that newsdata has learnt to write."""
    archive, out = write_archive(tmp_path / "in", many_posts(4)), tmp_path / "out"
    made = newsdata.build(archive, out, num_proc=1)
    (made.path / "CITATION.cff").unlink()
    files = tuple(file for file in made.manifest.files if file.path != "CITATION.cff")
    write_manifest(dataclasses.replace(made.manifest, files=files), made.path)
    assert newsdata.build(archive, out, num_proc=1).created is False
    assert newsdata.verify(out).faults == ()
    write_archive(archive, many_posts(1, start_day=9))
    following = newsdata.build(archive, out, num_proc=1)
    assert following.version == "1.1.0" and (following.path / "CITATION.cff").is_file()
    assert newsdata.verify(out).faults == newsdata.verify(out).notes == ()
