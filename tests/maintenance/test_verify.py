"""Faults that `verify` finds in versions, and what it notes about the cache."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.errors import VerifyError
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


def rewrite(copy: Path, pattern: str, change: object) -> None:
    """Change a shard's rows and put its new hash into the manifest, as a careless hand would."""
    shard = sorted((copy / "articles").glob(pattern))[0]
    table = change(pq.read_table(shard))  # type: ignore[operator]
    pq.write_table(table, shard)
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    entry = next(s for s in manifest["shards"] if s["path"] == f"articles/{shard.name}")
    entry |= {"bytes": shard.stat().st_size, "sha256": hashlib.sha256(shard.read_bytes()).hexdigest()}
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def test_verify_finds_an_offset_that_does_not_match(copy: Path) -> None:
    def shift(table: object) -> object:
        import pyarrow as pa

        rows = table.to_pylist()  # type: ignore[attr-defined]
        row = next(r for r in rows if r["mentions"])
        row["mentions"][0]["start"] += 1
        return pa.Table.from_pylist(rows, schema=table.schema)  # type: ignore[attr-defined]

    with_mentions = next(
        p.name for p in sorted((copy / "articles").iterdir())
        if any(pq.read_table(p, columns=["mentions"])["mentions"].to_pylist())
    )  # fmt: skip
    rewrite(copy, with_mentions, shift)
    assert any("mentions[0]" in fault for fault in newsdata.verify(copy).faults)


def test_verify_finds_wrong_counts_and_an_id_in_two_splits(copy: Path) -> None:
    import pyarrow as pa

    test = pq.read_table(sorted((copy / "articles").glob("test-*"))[0])
    rewrite(copy, "train-*", lambda table: pa.concat_tables([table, test.slice(0, 1)]))
    faults = "\n".join(newsdata.verify(copy).faults)
    assert "stands in" in faults and "rows, not" in faults and "belongs to test" in faults
