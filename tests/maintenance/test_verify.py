"""Faults that `verify` finds in versions, and what it notes about the cache."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import newsdata
from newsdata.errors import ManifestError, VerifyError
from newsdata.maintenance.check_files import DAMAGED_REMEDY
from newsdata.storage.manifest import read_manifest

from ..building.edited_archive import as_git, digests, inodes
from ..conftest import ROOT, many_posts, run_newsdata
from .archives import grow


def test_verify_checks_every_version(tmp_path: Path) -> None:
    _, out = grow(tmp_path)
    assert newsdata.verify(out).faults == newsdata.verify(out).notes == ()
    old = out / "1.0.0" / "ledger.arrow"
    old.write_bytes(old.read_bytes()[:-1])
    assert any(fault.startswith("1.0.0/ledger.arrow: ") for fault in newsdata.verify(out).faults)
    assert newsdata.verify(out, revision="1.2.0").faults == newsdata.verify(out / "1.1.0").faults == ()


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_damaged_shard_is_one_fault(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 1)
    shard = next((out / "1.0.0" / "articles").glob("train-*"))
    whole = shard.read_bytes()
    for place in range(4, len(whole), len(whole) // 40):
        shard.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        found = newsdata.verify(out)
        assert found.faults == (f"1.0.0/articles/{shard.name}: its bytes were changed (SHA-256 differs)",)
        assert found.remedies == (DAMAGED_REMEDY,)
        assert found.not_checked[0].startswith(f"1.0.0/articles/{shard.name}: its ") and len(found.not_checked) == 3


@pytest.mark.slow
def test_a_downloaded_copy_of_some_versions_is_good(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 2)
    for version in ("1.0.0", "1.1.0"):
        folder = tmp_path / "copies" / version
        shutil.copytree(out / version, folder)
        (folder / ".cache" / "huggingface").mkdir(parents=True)
        (folder / ".cache" / "huggingface" / "CACHEDIR.TAG").write_bytes(b"x")
        (folder / ".gitattributes").write_bytes(b"x")
        assert newsdata.verify(folder).faults == newsdata.verify(folder).notes == ()
    found = newsdata.verify(tmp_path / "copies")
    assert found.faults == () and all("are copies of those of" in note for note in found.notes)
    (tmp_path / "copies" / "1.1.0" / "remarks.txt").write_bytes(b"x")
    (tmp_path / "copies" / "1.0.0" / "posts" / "more.parquet").write_bytes(b"x")
    found = newsdata.verify(tmp_path / "copies")
    assert "1.1.0/remarks.txt: is not in the manifest" in found.notes
    assert found.faults == ("1.0.0/posts/more.parquet: is not in the manifest",) and len(found.remedies) == 1


@pytest.mark.slow
def test_an_unreadable_manifest_does_not_end_the_check(tmp_path: Path) -> None:
    _, out = grow(tmp_path)
    (out / "1.0.0" / "manifest.json").write_text("{", encoding="utf-8")
    (out / "1.1.0" / "README.md").write_text("x", encoding="utf-8")
    manifest = json.loads((out / "1.2.0" / "manifest.json").read_text("utf-8"))
    (out / "1.2.0" / "manifest.json").write_text(json.dumps(manifest | {"dataset_version": "x"}), encoding="utf-8")
    (out / "redactions.json").write_text('{"x": 5}', encoding="utf-8")
    found = newsdata.verify(out)
    places = [fault.partition(":")[0] for fault in found.faults]
    assert places == ["1.0.0/manifest.json", "1.2.0/manifest.json", "redactions.json", "1.1.0/README.md"]
    assert found.remedies == (DAMAGED_REMEDY, "redactions.json: repair the file: a JSON map of id to reason")
    done = run_newsdata("verify", out)
    assert done.returncode == 1 and "4 faults" in done.stdout, done.stderr


@pytest.mark.slow
def test_a_damaged_cache_is_noted_and_made_anew(tmp_path: Path) -> None:
    """Every file of it, all at once."""
    files = {"_config.yml": b"timezone: Asia/Shanghai\n", **many_posts(5, per_day=2)}
    out = tmp_path / "out"
    first = newsdata.build(as_git(tmp_path / "git", files), out, num_proc=1)
    source = as_git(tmp_path / "git", files | many_posts(1, start_day=6))
    full = newsdata.build(source, tmp_path / "full", base=first.path, cache=False, num_proc=1)
    hurt = [file for file in (out / ".newsdata" / "cache").iterdir() if file.name != "last-build.json"]
    for file in hurt:
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.unlink()
        file.write_bytes(data)
    notes = newsdata.verify(out).notes
    assert {f"cache: {file.stem} is damaged; the next build makes it anew" for file in hurt} <= {*notes} and hurt
    assert digests(newsdata.build(source, out, num_proc=1).path) == digests(full.path)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
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


@pytest.fixture
def copy(demo: Path, tmp_path: Path) -> Path:
    shutil.copytree(demo / "1.0.0", tmp_path / "1.0.0")
    return tmp_path / "1.0.0"


def test_verify_finds_a_changed_byte(copy: Path) -> None:
    shard = next((copy / "articles").glob("train-*"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    faults = newsdata.verify(copy).faults
    assert any(shard.name in fault and "SHA-256" in fault for fault in faults)
    with pytest.raises(VerifyError, match=shard.name):
        newsdata.load_dataset(copy, split="train")


def test_verify_finds_missing_and_extra_files(copy: Path) -> None:
    next((copy / "posts").iterdir()).unlink()
    (copy / "articles" / "train-2022-01-99999.parquet").write_bytes(b"x")
    faults = "\n".join(newsdata.verify(copy).faults)
    assert "is missing" in faults and "is not in the manifest" in faults


def test_a_folder_with_the_name_of_another_version_is_a_fault(copy: Path) -> None:
    renamed = copy.rename(copy.with_name("7.0.0"))
    fault = "manifest.json: this is the manifest of 1.0.0, and the folder is named 7.0.0"
    found = newsdata.verify(renamed.parent)
    assert found.faults == (f"7.0.0/{fault}",) and "rename the folder" in found.remedies[0]
    assert newsdata.verify(renamed).faults == (fault,)
    with pytest.raises(
        ManifestError, match=r"7\.0\.0/manifest\.json: this is the manifest of 1\.0\.0.*rename the folder"
    ):
        newsdata.load_pandas(renamed.parent, revision="7.0.0")
    for call in (newsdata.info, newsdata.load_pandas):
        with pytest.raises(ManifestError, match="the folder is named"):
            call(renamed.parent)
    with pytest.raises(ManifestError, match="the folder is named"):
        newsdata.build(ROOT / "examples" / "archive", renamed.parent, num_proc=1)
    other = renamed.rename(copy.with_name("my-copy"))
    assert newsdata.verify(other).faults == () and len(newsdata.load_pandas(other))
