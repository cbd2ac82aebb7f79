"""Commands that are killed at any file event: versions stay good, or the same command makes them so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import newsdata

from ..conftest import ROOT, many_posts, write_archive

KILLED_AT = """
import os, signal, sys
root, number = sys.argv[1], int(sys.argv[2])
seen = 0
def hook(event, arguments):
    global seen
    if event == "open":
        path, mode, flags = arguments
        changes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
    else:
        path = arguments[0] if arguments else None
        changes = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate")
    if changes and isinstance(path, (str, bytes, os.PathLike)) and os.fsdecode(path).startswith(root):
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
sys.argv = ["newsdata", *sys.argv[3:]]
from newsdata.cli.main import main
sys.addaudithook(hook)
try:
    main()
finally:
    print("events", seen, file=sys.stderr)
"""

ONE = "202203010000000001"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three versions."""
    root = tmp_path_factory.mktemp("killed")
    posts = many_posts(12)
    archive = write_archive(root / "archive", posts)
    for number in range(3):
        write_archive(archive, {max(posts): posts[max(posts)] + b"\nmore\n" * number})
        newsdata.build(archive, root / "out", num_proc=1)
    return root / "out"


def run(root: Path, number: int, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command, and kill it at the file event of this number in `root`; 0 never."""
    return subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(root), str(number), *command],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip


def commands(out: Path) -> dict[str, list[str]]:
    return {
        "yank": ["yank", str(out), "--revision", "1.0.0", "--reason", "bad"],
        "redact": ["redact", str(out), ONE, "--reason", "a request"],
        "prune": ["prune", str(out), "--keep", "1"],
        "publish": ["publish", str(out), str(out.parent / "published"), "--full-text", "--yes"],
    }


def check(before: Path, folder: Path, name: str, number: int) -> None:
    out = folder / "out"
    shutil.copytree(before, out)
    command = commands(out)[name]
    killed = run(folder, number, command)
    assert killed.returncode == -9, killed.stderr
    assert newsdata.verify(out).faults == ()
    again = run(folder, 0, command)
    assert again.returncode == 0, again.stderr
    assert newsdata.verify(out).faults == ()
    if name == "publish":
        assert newsdata.verify(out.parent / "published").faults == ()
    if name == "yank":
        assert newsdata.info(out / "1.0.0")["yanked"] == "bad"
    if name == "prune":
        assert len(newsdata.info(out)["versions"]) == 1
    shutil.rmtree(folder)


def count_events(before: Path, folder: Path, name: str) -> int:
    """How many file events a command has."""
    shutil.copytree(before, folder / "out")
    done = run(folder, 0, commands(folder / "out")[name])
    assert done.returncode == 0, done.stderr
    shutil.rmtree(folder)
    return int(done.stderr.rsplit("events ", 1)[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["redact", "yank", "prune", "publish"])
def test_a_command_that_is_killed_in_its_middle(out: Path, tmp_path: Path, name: str) -> None:
    events = count_events(out, tmp_path / "count", name)
    assert events >= 3
    check(out, tmp_path / "killed", name, events // 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yank", "redact", "prune", "publish"])
def test_a_command_that_is_killed_at_each_of_its_file_events(out: Path, tmp_path: Path, name: str) -> None:
    events = count_events(out, tmp_path / "count", name)
    for number in sorted({*range(1, min(events, 12) + 1), *range(1, events + 1, max(1, events // 15))}):
        check(out, tmp_path / "killed", name, number)
