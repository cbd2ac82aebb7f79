"""The folder `OUT/.newsdata`: one build at a time, a staging folder that is gone at the end, and the store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import newsdata
from newsdata.building.workspace import locked, open_workspace, store_in
from newsdata.errors import MachineError

from ..conftest import run_newsdata


@pytest.mark.slow
def test_two_builds_at_once(tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "out" / ".newsdata").mkdir(parents=True)
    with FileLock(tmp_path / "out" / ".newsdata" / "lock"):
        found = run_newsdata("build", "examples/archive", tmp_path / "out")
    assert found.returncode == 2 and "another build" in found.stderr
    assert run_newsdata("build", "examples/archive", tmp_path / "out").returncode == 0


@pytest.mark.slow
def test_leftovers_of_a_killed_build_are_cleaned_up(tmp_path: Path) -> None:
    left = tmp_path / "out" / ".newsdata" / "staging" / "version"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    newsdata.build("examples/archive", tmp_path / "out", num_proc=1)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [".newsdata", "1.0.0", "README.md"]
    assert not (tmp_path / "out" / ".newsdata" / "staging").exists()


def test_a_workspace_is_empty_at_first_and_gone_at_last(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    with pytest.raises(ValueError, match="no"), open_workspace(out, cache=True) as workspace:
        assert list(workspace.staging.iterdir()) == [] == list(workspace.store.folder.iterdir())
        (workspace.staging / "half").write_bytes(b"x")
        (workspace.store.folder / "kept").write_bytes(b"x")
        raise ValueError("no")
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*")) == [
        ".newsdata", ".newsdata/cache", ".newsdata/cache/kept", ".newsdata/lock",
    ]  # fmt: skip


def test_without_a_cache_the_store_is_empty_and_goes(tmp_path: Path) -> None:
    with open_workspace(tmp_path, cache=True) as workspace:
        (workspace.store.folder / "kept").write_bytes(b"x")
    with open_workspace(tmp_path, cache=False) as workspace:
        assert list(workspace.store.folder.iterdir()) == []
        (workspace.store.folder / "gone").write_bytes(b"x")
    assert [path.name for path in (tmp_path / ".newsdata" / "cache").iterdir()] == ["kept"]
    assert not (tmp_path / ".newsdata" / "staging").exists()


def test_a_file_in_the_place_of_the_store(tmp_path: Path) -> None:
    (tmp_path / ".newsdata").mkdir()
    (tmp_path / ".newsdata" / "cache").write_bytes(b"x")
    assert store_in(tmp_path) is None
    with open_workspace(tmp_path, cache=True) as workspace:
        assert workspace.store.folder.is_dir()
    assert store_in(tmp_path) == workspace.store


def test_a_file_in_the_place_of_out(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(MachineError, match="is a file"), locked(tmp_path / "out"):
        pass
    assert (tmp_path / "out").read_bytes() == b"mine"


@pytest.mark.parametrize("name", [".newsdata", ".newsdata/lock", ".newsdata/cache"])
def test_a_link_is_not_followed(name: str, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to(elsewhere)
    with pytest.raises(MachineError, match="is a link"), locked(out):
        pass
    assert list(elsewhere.iterdir()) == []
    if name.endswith("cache"):
        assert store_in(out) is None


HOLDING = """
import sys
from pathlib import Path
from newsdata.building.workspace import locked
with locked(Path(sys.argv[1]), "lock", "build"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.slow
def test_a_lock_is_held_by_one_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(MachineError, match=r"another build is at work here.*wait for it"), locked(tmp_path):
            pass
        with pytest.raises(MachineError, match="another publication"), locked(tmp_path, holder="publication"):
            pass
        with locked(tmp_path, "another"):
            pass
        other.kill()
    with locked(tmp_path):
        pass


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (
            OSError(30, "Read-only file system", "/out/x"),
            r"/out/x: the system said: Read-only file system; .*make room",
        ),
        (OSError("Corrupt snappy compressed data."), r"data cannot be read: Corrupt snappy .*newsdata verify"),
        (pa.ArrowInvalid("Not a Parquet file\nmore"), r"data cannot be read: Not a Parquet file; .*newsdata verify"),
        (pa.ArrowMemoryError("malloc failed"), r"Arrow said: malloc failed; .*out of memory"),
    ],
    ids=["machine", "snappy", "parquet", "memory"],
)
def test_an_error_inside_is_told_as_what_it_is(tmp_path: Path, raised: Exception, said: str) -> None:
    with pytest.raises(MachineError, match=said), open_workspace(tmp_path / "out", cache=True):
        raise raised


def test_a_folder_that_cannot_be_written_is_a_machine_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(MachineError, match="Read-only file system"), open_workspace(tmp_path / "out", cache=True):
        raise AssertionError("it was opened")
