"""Files whose hash is known: a stamp that is the same spares reading, unless the file may have changed under it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from newsdata.building.known_files import KnownFiles, known_hashes, read_known_files, settled, write_known_files
from newsdata.sources.source import Files, SourceFile

NOW = 1_700_000_000_000_000_000  # ns
LONG_AGO = NOW - 10**12
STAMP = f"{LONG_AGO}:{LONG_AGO}:7"


def files(**stamps: str) -> Files:
    return Files.of(SourceFile(path, 1, stamp) for path, stamp in stamps.items())


def hashes(*some: str | None) -> pa.StringArray:
    return pa.array(some, pa.string())


def test_what_is_settled_is_written_and_read(tmp_path: Path) -> None:
    known = KnownFiles(
        files=files(a=STAMP, b=STAMP, c=STAMP),
        hashes=hashes("1", "2", None),
        settled=pa.array([True, False, False]),
    )
    write_known_files(known, tmp_path / "known")
    found = read_known_files(tmp_path / "known")
    assert found.to_pylist() == [{"path": "a", "stamp": STAMP, "sha256": "1"}]
    assert read_known_files(None).num_rows == 0 and read_known_files(None).schema == found.schema


def test_many_files_go_in_several_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsdata.sources.files.FILES_AT_ONCE", 3)
    many = files(**{f"p{number}": f"{number}" for number in range(8)})
    known = KnownFiles(files=many, hashes=many.stamp, settled=pa.array([n % 2 == 0 for n in range(8)]))
    write_known_files(known, tmp_path / "known")
    assert read_known_files(tmp_path / "known")["sha256"].to_pylist() == ["0", "2", "4", "6"]


def test_a_hash_is_known_by_path_and_stamp() -> None:
    known = pa.table({"path": ["a", "b", "gone"], "stamp": ["1", "2", "3"], "sha256": ["A", "B", "C"]})
    listed = files(a="1", b="other", new="1", c="sha256:C0DE")
    assert known_hashes(listed, known).to_pylist() == ["A", None, None, "C0DE"]
    assert known_hashes(listed, read_known_files(None)).to_pylist() == [None, None, None, "C0DE"]
    assert known_hashes(files(), known).to_pylist() == []


def late(seconds: float, changed: float | None = None) -> str:
    return f"{NOW + round(seconds * 1e9)}:{NOW + round((seconds if changed is None else changed) * 1e9)}:7"


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (STAMP, True),
        (late(-2.5), True),
        (late(-1.5), False),
        (late(0), False),
        (late(3600), False),  # dated in the future
        (late(-3600, changed=-1), False),  # an old time that was set just now
        (f"{-(10**18)}:{-(10**18)}:7", True),  # before 1970
        (f"{13 * 10**18}:{LONG_AGO}:7", False),  # after 2262, beyond 64 bits of nanoseconds
        ("git:0123", True),
        ("sha256:C0DE", True),
        ("", False),
    ],
)
def test_a_file_touched_shortly_before_is_not_settled(stamp: str, expected: bool) -> None:
    one, unknown = files(a=stamp), pa.array([False])
    assert settled(one, hashes("1"), unknown, NOW).to_pylist() == [expected]
    assert settled(one, hashes(None), unknown, NOW).to_pylist() == [False], "it could not be read"
    assert settled(one, hashes("1"), pa.array([True]), NOW).to_pylist() == [True], "it was settled before"


def test_settled_among_others() -> None:
    some = files(a=STAMP, b=late(0), c=STAMP, d=late(0))
    found = settled(some, hashes("1", "2", None, "4"), pa.array([False, False, False, True]), NOW)
    assert found.to_pylist() == [True, False, False, True]
