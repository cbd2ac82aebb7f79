"""Killed at any moment: the next build runs what was not done yet, and nothing tells its version from an undisturbed one."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

import newsdata
from newsdata.building.build import STAGES
from newsdata.building.stages import versions
from newsdata.building.workspace import store_in

from ..conftest import ROOT
from .edited_archive import digests

LIMIT = 600.0  # seconds that a build may take, on a machine that is busy with other things

STAGE_OF = {
    **dict.fromkeys(("list", "hash"), "list"),
    "parse": "parse",
    **dict.fromkeys(("ranges", "range", "merge"), "merge"),
    **dict.fromkeys(("sample", "count", "frame", "boilerplate", "sign"), "sign"),
    **dict.fromkeys(("search", "common", "pairs", "group"), "group"),
    **dict.fromkeys(("borders", "split"), "split"),
    **dict.fromkeys(("write", "rejects", "blank"), "write"),
    **dict.fromkeys(("origins", "revisions"), "history"),
    "measure": "measure",
}
"""The stage that each kind of task belongs to."""


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """An archive, the version that is built from it, and how long that takes."""

    archive: Path
    digests: dict[str, str]
    seconds: float


def start(archive: Path, out: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "newsdata",
        "build",
        str(archive),
        str(out),
        "--json",
        "--quiet",
        "--num-proc",
        "2",
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)


def build(archive: Path, out: Path) -> dict[str, Any]:
    with start(archive, out) as process:
        told, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    answer: dict[str, Any] = json.loads(told)
    return answer


def undisturbed(place: Path, posts: int, days: int | None) -> Undisturbed:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        from make_archive import make_archive

        make_archive(place / "in", posts=posts, days=days)
    time.sleep(2.1)  # files this young would be hashed again by the next build
    begin = time.monotonic()
    answer = build(place / "in", place / "out")
    seconds = time.monotonic() - begin
    assert set(answer["stages"]) == set(STAGES) and answer["created"]
    return Undisturbed(archive=place / "in", digests=digests(Path(answer["path"])), seconds=seconds)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return undisturbed(tmp_path_factory.mktemp("small"), posts=600, days=150)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return undisturbed(tmp_path_factory.mktemp("large"), posts=20_000, days=None)


def kill(archive: Path, out: Path, after: float) -> bool:
    """Start a build and kill all its processes; whether it was at work by then."""
    with start(archive, out) as process:
        time.sleep(after)
        at_work = process.poll() is None
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)] if at_work else []
        if at_work:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=LIMIT)
    _, alive = psutil.wait_procs(family, timeout=LIMIT)
    assert not [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    return at_work


def done_in(out: Path) -> Counter[str]:
    """How many results of each stage lie in the store that the next build can use; each of them is whole."""
    store = store_in(out)
    if store is None:
        return Counter()
    keys = store.keys()
    assert all(store.find(key) for key in keys)
    kinds = [key.partition("-")[0].rstrip("0123456789") for key in keys]
    return Counter(STAGE_OF[kind] for kind in kinds if kind != "hash")


def kill_and_build(given: Undisturbed, out: Path, after: float) -> None:
    kill(given.archive, out, after)
    visible = sorted({path.name for path in out.iterdir()} - {".newsdata"}) if out.is_dir() else []
    assert visible in ([], ["1.0.0"], ["1.0.0", "README.md"])
    assert not visible or digests(out / "1.0.0") == given.digests, "half a version is to be seen"
    done = done_in(out)
    answer = build(given.archive, out)
    assert answer["created"] == (not visible) and answer["version"] == "1.0.0"
    for name, stage in answer["stages"].items():
        assert stage["ran"] + stage["found"] == stage["tasks"], name
        if answer["created"]:
            # Of a stage whose last task is done, the tasks before it are not looked up.
            assert stage["ran"] <= max(0, stage["tasks"] - done[name]), (name, stage, done)
    assert digests(Path(answer["path"])) == given.digests
    assert newsdata.verify(out).faults == () and newsdata.verify(out).notes == ()
    assert sorted(path.name for path in out.iterdir()) == [".newsdata", "1.0.0", "README.md"]
    assert sorted(path.name for path in (out / ".newsdata").iterdir()) == ["cache", "lock"]


def moments(count: int) -> Sequence[float]:
    """Shares of the time that a build takes, one in each of `count` equal parts."""
    rng = random.Random(count)
    return [round((number + rng.random()) / count, 4) for number in range(count)]


def test_every_kind_of_task_has_its_stage() -> None:
    assert set(STAGE_OF) == set(versions._VERSIONS)
    assert set(STAGE_OF.values()) | {"describe"} == set(STAGES)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [0.5, *moments(3)])
def test_the_next_build_runs_what_was_missing(moment: float, small: Undisturbed, tmp_path: Path) -> None:
    kill_and_build(small, tmp_path / "out", moment * small.seconds)


@pytest.mark.slow
@pytest.mark.parametrize("moment", moments(6))
def test_the_next_build_of_many_posts_runs_what_was_missing(moment: float, large: Undisturbed, tmp_path: Path) -> None:
    kill_and_build(large, tmp_path / "out", moment * large.seconds)


@pytest.mark.slow
def test_killed_again_and_again(small: Undisturbed, tmp_path: Path) -> None:
    """Every build gets a little further than the one before, until one is done."""
    out = tmp_path / "out"
    done = 0
    for number in range(1, 20):
        if not kill(small.archive, out, small.seconds * (0.5 + 0.05 * number)):
            break
        now = done_in(out).total()
        assert now >= done, "what was done is kept"
        done = now
    kill_and_build(small, out, 0)
