"""Faults that `verify` finds in versions, and what it notes about the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import newsdata
from newsdata.storage.manifest import read_manifest

from ..building.edited_archive import as_git, digests, inodes
from ..conftest import many_posts, run_newsdata
from .archives import grow


def test_verify_checks_every_version(tmp_path: Path) -> None:
    _, out = grow(tmp_path)
    assert newsdata.verify(out).faults == newsdata.verify(out).notes == ()
    old = out / "1.0.0" / "ledger.arrow"
    old.write_bytes(old.read_bytes()[:-1])
    assert any(fault.startswith("1.0.0/ledger.arrow: ") for fault in newsdata.verify(out).faults)
    assert newsdata.verify(out, revision="1.2.0").faults == newsdata.verify(out / "1.1.0").faults == ()


def test_verify_notes_files_that_lost_their_hard_links(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 2)
    shared = (
        inodes(out / "1.0.0", read_manifest(out / "1.0.0")).items()
        & inodes(out / "1.1.0", read_manifest(out / "1.1.0")).items()
    )
    shutil.copytree(out, tmp_path / "copy")
    found = newsdata.verify(tmp_path / "copy")
    assert found.faults == ()
    assert (f"1.1.0: {len(shared)} files" in str(found.notes)) == bool(shared)


def test_verify_names_damaged_shards(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 1)
    shard = next((out / "1.0.0" / "articles").glob("train-*"))
    whole = shard.read_bytes()
    for place in range(4, len(whole), len(whole) // 40):
        shard.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        faults = newsdata.verify(out).faults
        assert any("its bytes were changed" in fault and shard.name in fault for fault in faults)


def test_an_unreadable_manifest_does_not_end_the_check(tmp_path: Path) -> None:
    _, out = grow(tmp_path)
    (out / "1.0.0" / "manifest.json").write_text("{", encoding="utf-8")
    (out / "1.1.0" / "README.md").write_text("x", encoding="utf-8")
    (out / "redactions.json").write_text('{"x": 5}', encoding="utf-8")
    places = [fault.partition(":")[0] for fault in newsdata.verify(out).faults]
    assert places == ["1.0.0/manifest.json", "redactions.json", "1.1.0/README.md"]
    done = run_newsdata("verify", out)
    assert done.returncode == 1 and "3 faults" in done.stdout, done.stderr


@pytest.mark.parametrize("damage", ["flip", *(pytest.param(d, marks=pytest.mark.slow) for d in ("cut", "empty"))])
def test_damaged_entries_of_the_cache_are_noted_and_made_anew(damage: str, tmp_path: Path) -> None:
    files = {"_config.yml": b"timezone: Asia/Shanghai\n", **many_posts(5, per_day=2)}
    out = tmp_path / "out"
    first = newsdata.build(as_git(tmp_path / "git", files), out, num_proc=1)
    source = as_git(tmp_path / "git", files | many_posts(1, start_day=6))
    full = newsdata.build(source, tmp_path / "full", base=first.path, cache=False, num_proc=1)
    for number, file in enumerate(sorted((out / ".newsdata" / "cache").iterdir())):
        place = tmp_path / f"case-{number}"
        shutil.copytree(out, place)
        hurt = place / ".newsdata" / "cache" / file.name
        data = bytearray(hurt.read_bytes())
        hurt.unlink()
        if damage == "flip" and data:
            data[len(data) // 2] ^= 1
        hurt.write_bytes({"flip": bytes(data), "cut": bytes(data[: len(data) // 2]), "empty": b""}[damage])
        if hurt.read_bytes() != file.read_bytes() and file.name != "last-build.json":
            note = f"cache: {file.stem} is damaged; the next build makes it anew"
            assert note in newsdata.verify(place).notes, file.name
        made = newsdata.build(source, place, num_proc=1)
        assert digests(made.path) == digests(full.path), file.name
