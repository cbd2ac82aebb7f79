"""What the caller asks for: checked before any work starts, and held against the version before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.building.base import Base, follow
from newsdata.building.request import Request, Settings, check_call, settle
from newsdata.errors import CallError, ManifestError, VersionError

from ..conftest import ROOT, many_posts, write_archive

CARD = "---\npretty_name: Mine\nlicense: mit\n---\n# Mine\n"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the versions 1.0.0 and 1.1.0."""
    place = tmp_path_factory.mktemp("request")
    archive = write_archive(place / "in", many_posts(9))
    newsdata.build(archive, place / "out", num_proc=1, gap_days=0)
    write_archive(archive, many_posts(1, start_day=10))
    newsdata.build(archive, place / "out", num_proc=1)
    return place / "out"


def asked(**options: Any) -> Request:
    return Request(**{"source": "in", "out": "out", **options})


def settled(base: Base, **options: Any) -> Settings:
    return settle(asked(**options), base)


# ------------------------------------------------------------------------------------------------------- the call


@pytest.mark.parametrize("wrong", [{"num_proc": -1}, {"num_proc": 0}, {"num_proc": 2.5}, {"gap_days": -3}])
def test_numbers_that_are_none(wrong: dict[str, Any], tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(2))
    with pytest.raises(CallError, match="must be a whole number"):
        newsdata.build(archive, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"source": " "}, "source"),
        ({"out": ""}, "out"),
        ({"gap_days": 36_501}, "gap_days"),
        ({"gap_days": True}, "gap_days"),
        ({"max_reject_share": -0.1}, "max_reject_share"),
        ({"max_reject_share": 1.1}, "max_reject_share"),
        ({"max_leak": 7}, "max_leak"),
        ({"max_leak": float("nan")}, "max_leak"),
        ({"text": "some"}, "text"),
        ({"text": ""}, "text"),
    ],
)
def test_a_call_that_cannot_be_met_is_refused(options: dict[str, Any], field: str) -> None:
    with pytest.raises(CallError) as caught:
        check_call(asked(**options), 1)
    assert caught.value.field == field


def test_a_call_at_the_limits() -> None:
    check_call(asked(gap_days=36_500, max_reject_share=1, max_leak=0, text="none"), None)
    check_call(asked(gap_days=0, max_reject_share=0.0, max_leak=1.0, source=Path(), text="full"), 1)


# ---------------------------------------------------------------------------------------- against the version before


def test_a_first_version_has_what_was_asked_for(tmp_path: Path) -> None:
    nothing = follow(tmp_path / "none", None)
    plain = settled(nothing)
    assert (plain.text, plain.history, plain.drafts, plain.borders) == ("full", False, False, None)
    assert "license" in plain.card and plain.tools["newsdata"] == "0.1.0"
    other = settled(nothing, text="none", drafts=True, history=True, card=CARD, gap_days=2, test_from="2022-03-08")
    assert (other.text, other.history, other.drafts, other.card) == ("none", True, True, CARD)
    assert other.asked_borders.gap_days == 2 and str(other.asked_borders.test_from) == "2022-03-08"


def test_a_later_version_keeps_what_the_last_one_had(tmp_path: Path) -> None:
    drafts = {"_drafts/later.md": b"---\ntitle: x\n---\nx"}
    archive, out = write_archive(tmp_path / "in", many_posts(9) | drafts), tmp_path / "out"
    (tmp_path / "card.md").write_text(CARD, "utf-8")
    newsdata.build(archive, out, num_proc=1, drafts=True, card=tmp_path / "card.md")
    base = follow(out, None)
    found = settled(base)
    assert found.drafts and found.card == CARD and found.borders is not None
    assert not settled(base, drafts=False).drafts
    (out / "1.0.0" / "dataset_card.md").write_text(CARD + "more", "utf-8")
    with pytest.raises(ManifestError, match=r"dataset_card\.md"):
        settled(base)
    assert settled(base, card=CARD).card == CARD, "nobody looks at the damaged one"


@pytest.mark.slow
def test_borders_are_fixed_by_the_first_version(out: Path) -> None:
    base = follow(out, None)
    borders = settled(base).borders
    assert borders is not None and borders.gap_days == 0
    same = {"validation_from": str(borders.validation_from), "test_from": str(borders.test_from), "gap_days": 0}
    assert settled(base, **same).borders == borders
    for other in ({"validation_from": "2022-03-02"}, {"test_from": "2022-03-02"}, {"gap_days": 1}):
        with pytest.raises(VersionError, match=r"the splits of 1\.1\.0 are fixed"):
            settled(base, **other)
    for wrong in ({"validation_from": "2 March"}, {"test_from": "today"}):
        with pytest.raises(CallError, match="YYYY-MM-DD"):
            settled(base, **wrong)


@pytest.mark.slow
def test_versions_go_up(out: Path) -> None:
    base = follow(out, None)
    settled(base, version="1.1.1")
    for taken in ("1.1.0", "1.0.9", "0.9.0"):
        with pytest.raises(VersionError, match=r"not higher than 1\.1\.0"):
            settled(base, version=taken)
    for wrong in ("1.2", "v1.2.0", "1.2.0-rc1", "01.2.0"):
        with pytest.raises(VersionError):
            settled(base, version=wrong)
    first = follow(out, out / "1.0.0")
    with pytest.raises(VersionError, match=r"not higher than 1\.1\.0"):
        settled(first, version="1.0.1")


@pytest.mark.slow
def test_text_is_of_one_kind(out: Path) -> None:
    base = follow(out, None)
    assert settled(base, text="full").text == "full"
    with pytest.raises(VersionError, match=r"1\.1\.0 was built with --text full, this build has --text none"):
        settled(base, text="none")
    again = follow(out, None, again=True)
    assert settle(replace(asked(text="none"), again=True), again).text == "none", "that version itself is made"


def test_what_reads_posts_is_an_input_of_every_task(out: Path) -> None:
    found = settled(follow(out, None))
    assert [made.split()[0] for made in found.made_by] == [*sorted(found.tools), "schema", "parser"]
    other = replace(found, tools={**found.tools, "PyYAML": "0"})
    assert other.made_by != found.made_by and replace(found, card="", borders=None).made_by == found.made_by
    assert (ROOT / "dataset_card.md").is_file()
