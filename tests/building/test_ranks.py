"""A build by several ranks: the same bytes as by one process, whatever becomes of a rank."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner

import newsdata
from newsdata.building.build import Build
from newsdata.building.engines import Place, place_among_ranks
from newsdata.building.ranks import work_as_rank
from newsdata.building.stages import list as list_stage
from newsdata.building.tools import shaping_tools
from newsdata.cli.main import cli
from newsdata.errors import CallError, NewsdataError
from newsdata.objects import Objects

from ..conftest import ROOT, write_archive
from ..objects_server import ObjectStoreServer
from ..source_files import git, tar_of
from .edited_archive import digests
from .test_bucket import bucket_digests
from .test_executors import first_files, second_files
from .test_killed import LIMIT, Undisturbed

pytestmark = pytest.mark.usefixtures("several_shards")


def build(source: str | Path, out: str | Path, size: int, sources: Sequence[str | Path] = (), **options: Any) -> Build:
    """Build by ranks that are threads. `sources` are those of the ranks from 1 on, where these have others."""
    ends: list[int | NewsdataError] = []

    def work(rank: int) -> None:
        try:
            own = sources[rank - 1] if sources else source
            ends.append(work_as_rank(own, out, Place(rank=rank, size=size), num_proc=1))
        except NewsdataError as error:
            ends.append(error)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(1, size)]
    for thread in threads:
        thread.start()
    try:
        return newsdata.build(source, out, engine="ranks", place=Place(rank=0, size=size), num_proc=1, **options)
    finally:
        for thread in threads:
            thread.join()
        assert all(isinstance(end, int) for end in ends), ends
        assert sum(int(str(end)) for end in ends) > 0, "they did something"


@pytest.mark.parametrize("size", [4, 7])
def test_ranks_give_the_same_bytes(size: int, tmp_path: Path, expected: list[dict[str, str]]) -> None:
    archive, out = write_archive(tmp_path / "in", first_files()), tmp_path / "out"
    assert digests(build(archive, out, size).path) == expected[0]
    write_archive(archive, second_files())
    assert digests(build(archive, out, size).path) == expected[1]
    assert newsdata.verify(out).notes == ()
    assert sorted(path.name for path in (out / ".newsdata").iterdir()) == ["cache", "lock", "ranks"]
    assert [path.name for path in (out / ".newsdata" / "ranks").iterdir()] == ["board.json"]


@pytest.mark.slow
@pytest.mark.parametrize("ranks_first", [True, False])
def test_a_version_by_ranks_and_one_by_this_machine(
    ranks_first: bool, tmp_path: Path, expected: list[dict[str, str]]
) -> None:
    """One follows the other, with the cache of the other."""
    archive, out = write_archive(tmp_path / "in", first_files()), tmp_path / "out"
    for ranks, files, good in zip((ranks_first, not ranks_first), ({}, second_files()), expected, strict=True):
        write_archive(archive, files)
        made = build(archive, out, 3) if ranks else newsdata.build(archive, out, num_proc=2)
        assert digests(made.path) == good
    shutil.rmtree(out / "1.1.0", ignore_errors=True)


@pytest.mark.slow
def test_a_cache_of_another_engine_is_used(tmp_path: Path, expected: list[dict[str, str]]) -> None:
    archive, out = write_archive(tmp_path / "in", first_files()), tmp_path / "out"
    first = build(archive, out, 3)
    shutil.rmtree(first.path)
    again = newsdata.build(archive, out, num_proc=1)
    assert digests(again.path) == expected[0]
    assert {name for name, stage in again.stages.items() if stage["ran"]} <= {"list", "sign", "describe"}, (
        "samples are not kept"
    )


# ----------------------------------------------------------------------------------------------------- sources


@pytest.mark.slow
def test_every_host_has_a_copy_of_the_folder(tmp_path: Path, expected: list[dict[str, str]]) -> None:
    """Times of files differ from copy to copy; their content does not."""
    archive = write_archive(tmp_path / "in", first_files())
    copies = [tmp_path / f"copy-{number}" for number in range(3)]
    for age, copy in enumerate(copies, 1):
        shutil.copytree(archive, copy)
        for path in copy.rglob("*.md"):
            os.utime(path, (age * 1e8, age * 1e8))
    assert digests(build(archive, tmp_path / "out", 4, copies).path) == expected[0]


@pytest.mark.slow
def test_a_copy_with_another_content_is_found_out(tmp_path: Path, expected: list[dict[str, str]]) -> None:
    """Rank 0 then reads its own."""
    archive = write_archive(tmp_path / "in", first_files())
    shutil.copytree(archive, tmp_path / "copy")
    for path in (tmp_path / "copy" / "_posts").iterdir():
        path.write_bytes(path.read_bytes()[::-1])
    assert digests(build(archive, tmp_path / "out", 2, [tmp_path / "copy"]).path) == expected[0]


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["content", "size", "missing"])
def test_a_stale_copy_changes_nothing(
    fault: str, tmp_path: Path, expected: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several ranks hash files. Rank 0 reads again what others read differently."""
    monkeypatch.setattr(list_stage, "_CHUNK_BYTES", 300)
    archive = write_archive(tmp_path / "in", first_files())
    shutil.copytree(archive, tmp_path / "copy")
    for path in (tmp_path / "copy" / "_posts").iterdir():
        if fault == "missing":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[::-1] + b"more" * (fault == "size"))
    made = build(archive, tmp_path / "out", 2, [tmp_path / "copy"])
    assert digests(made.path) == expected[0]


@pytest.mark.slow
def test_every_host_has_a_clone(tmp_path: Path) -> None:
    """Also one whose HEAD is elsewhere: the commit counts."""
    archive = write_archive(tmp_path / "in", first_files())
    git(archive, "init", "-q", "-b", "main")
    git(archive, "add", "-A")
    git(archive, "commit", "-qm", "one")
    plain = newsdata.build(f"{archive}@HEAD", tmp_path / "plain", history=True, num_proc=1)
    git(tmp_path, "clone", "-q", "--bare", str(archive), "clone.git")
    (archive / "_posts" / "2022-03-01-more.md").write_bytes(b"---\ntitle: x\n---\n")
    git(archive, "add", "-A")
    git(archive, "commit", "-qm", "two")
    git(tmp_path, "clone", "-q", "--bare", str(archive), "newer.git")
    clones: list[str | Path] = [tmp_path / "clone.git", f"{tmp_path / 'newer.git'}@main", f"{archive}@HEAD"]
    made = build(f"{archive}@HEAD~1", tmp_path / "out", 4, clones, history=True)
    assert digests(made.path) == digests(plain.path)


@pytest.mark.slow
def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    (tmp_path / "in.tar").write_bytes(tar_of(first_files()))
    plain = newsdata.build(tmp_path / "in.tar", tmp_path / "plain", num_proc=1)
    made = build(tmp_path / "in.tar", tmp_path / "out", 3)
    assert digests(made.path) == digests(plain.path)
    assert not (tmp_path / "out" / ".newsdata" / "staging").exists()


# ------------------------------------------------------------------------------------------------------ buckets


@pytest.mark.slow
def test_ranks_build_into_a_bucket(
    server: ObjectStoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: list[dict[str, str]]
) -> None:
    """Every rank has its own scratch folder, and leaves nothing in it."""
    monkeypatch.setenv("NEWSDATA_SCRATCH", str(tmp_path / "scratch"))
    out = Objects(url=f"{server.bucket()}/finews")
    archive = write_archive(tmp_path / "in", first_files())
    assert build(archive, out.url, 3).version == "1.0.0"
    assert bucket_digests(out, "1.0.0") == expected[0]
    write_archive(archive, second_files())
    version = build(archive, out.url, 2).version
    assert bucket_digests(out, version) == expected[1]
    assert {name for name, _ in out.names() if name.startswith(".newsdata/ranks")} == {".newsdata/ranks/board.json"}
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_an_archive_is_unpacked_into_the_bucket_once(
    server: ObjectStoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSDATA_SCRATCH", str(tmp_path / "scratch"))
    out = Objects(url=f"{server.bucket()}/finews")
    unpacked: set[str] = set()
    for files in (first_files(), second_files()):
        (tmp_path / "in.tar").write_bytes(tar_of(files))
        here = newsdata.build(tmp_path / "in.tar", tmp_path / "out", num_proc=1)
        made = build(tmp_path / "in.tar", out.url, 3)
        assert made.created and bucket_digests(out, made.version) == digests(here.path)
        server.requests.clear()
        again = newsdata.build(tmp_path / "in.tar", out.url, engine="ranks", place=Place(rank=0, size=3), num_proc=1)
        assert not again.created
        assert not [asked for asked in server.requests if asked.method == "PUT" and ".unpacked" in asked.path]
        now = {name for name, _ in out.names(".newsdata/cache") if name.endswith(".unpacked")}
        assert len(now) == 1 and now.isdisjoint(unpacked), "the one of the last build is swept"
        unpacked |= now


# ------------------------------------------------------------------------------------------------------- place


@pytest.mark.parametrize(
    ("given", "environment", "place"),
    [
        ((2, 5), {}, (2, 5, "")),
        ((2, 5), {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "9", "SLURM_ARRAY_JOB_ID": "77"}, (2, 5, "77")),
        (
            (None, None),
            {"SLURM_ARRAY_TASK_ID": "8", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_COUNT": "4"},
            (3, 4, ""),
        ),
        ((None, None), {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "3"}, (0, 4, "3")),
        ((None, 4), {"JOB_COMPLETION_INDEX": "3", "NEWSDATA_JOB": "j"}, (3, 4, "j")),
        ((None, None), {"JOB_COMPLETION_INDEX": "0", "JOB_COMPLETION_COUNT": "1"}, (0, 1, "")),
    ],
)
def test_a_cluster_says_the_place(
    given: tuple[int | None, int | None], environment: dict[str, str], place: tuple[int, int, str]
) -> None:
    rank, size, job = place
    assert place_among_ranks(*given, environment) == Place(rank=rank, size=size, job=job)


@pytest.mark.parametrize(
    ("given", "environment", "why"),
    [
        ((None, None), {}, "the rank of this process is not known.*--rank R --world-size N"),
        ((0, None), {}, "the number of ranks is not known"),
        ((None, None), {"JOB_COMPLETION_INDEX": "0"}, "the number of ranks is not known"),
        ((None, None), {"SLURM_PROCID": "0", "SLURM_NTASKS": "0"}, "--world-size: must be at least 1, got 0"),
        ((4, 4), {}, "--rank: must be from 0 to 3, got 4; ranks count from 0.*--array=0-3"),
        ((None, None), {"SLURM_ARRAY_TASK_ID": "-1"}, "SLURM_ARRAY_TASK_ID: is not a number"),
        ((None, None), {"SLURM_PROCID": "\u0663", "SLURM_NTASKS": "4"}, "SLURM_PROCID: is not a number"),
    ],
)
def test_a_place_that_is_none(given: tuple[int | None, int | None], environment: dict[str, str], why: str) -> None:
    with pytest.raises(CallError, match=why):
        place_among_ranks(*given, environment)


def test_the_command_line_says_what_is_missing(tmp_path: Path) -> None:
    for options, why in (
        (("--engine", "ranks"), "the rank of this process is not known"),
        (("--engine", "local", "--rank", "0"), "go with --engine ranks"),
        (("--rank", "2", "--world-size", "2"), "must be from 0 to 1"),
    ):
        done = CliRunner().invoke(
            cli, ["build", "examples/archive", str(tmp_path / "out"), *options], standalone_mode=False
        )
        assert why in str(done.exception) and done.stdout == ""
    assert not (tmp_path / "out").exists()


# --------------------------------------------------------------------------------------------------- processes


class Processes:
    """The ranks of a build as processes; all of them are killed at the end."""

    def __init__(self, archive: Path, out: Path, size: int, takeover: float) -> None:
        self.archive, self.out, self.size, self.takeover = archive, out, size, takeover
        self.running: dict[int, subprocess.Popen[str]] = {}

    def start(self, rank: int) -> subprocess.Popen[str]:
        options = ["--engine", "ranks", "--takeover", str(self.takeover), "--num-proc", "1", "--json", "--quiet"]
        place = {"SLURM_ARRAY_TASK_ID": str(rank), "SLURM_ARRAY_TASK_COUNT": str(self.size), "SLURM_ARRAY_JOB_ID": "5"}
        command = [sys.executable, "-m", "newsdata", "build", str(self.archive), str(self.out), *options]
        self.running[rank] = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **place}
        )
        return self.running[rank]

    def kill(self, rank: int) -> None:
        process = self.running[rank]
        process.kill()
        process.communicate()

    def answer(self, rank: int) -> dict[str, Any]:
        told, complaints = self.running[rank].communicate(timeout=LIMIT)
        assert self.running[rank].returncode == 0, complaints
        answer: dict[str, Any] = json.loads(told)
        return answer


@pytest.fixture
def processes() -> Iterator[list[Processes]]:
    made: list[Processes] = []
    yield made
    for process in (process for one in made for process in one.running.values()):
        process.kill()
        process.communicate()


def finish(ranks: Processes, given: Undisturbed) -> None:
    """All ranks end, with the bytes of an undisturbed build; nothing is left."""
    answer = ranks.answer(0)
    assert answer["created"] and digests(Path(answer["path"])) == given.digests
    for rank in range(1, ranks.size):
        assert ranks.answer(rank).keys() == {"rank", "world_size", "tasks"}
    inside = ranks.out / ".newsdata"
    assert sorted(path.name for path in inside.iterdir()) == ["cache", "lock", "ranks"]
    assert not [path.name for path in (inside / "cache").iterdir() if path.name.startswith(("part-", "plan"))]
    alive = [one for one in psutil.process_iter(["cmdline"]) if str(ranks.out) in (one.info["cmdline"] or ())]
    assert alive == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_rank_is_killed_and_started_again(
    seed: int, small: Undisturbed, tmp_path: Path, processes: list[Processes]
) -> None:
    rng = random.Random(seed)
    ranks = Processes(small.archive, tmp_path / "out", 4, takeover=3)
    processes.append(ranks)
    for rank in rng.sample(range(4), 4):
        ranks.start(rank)
    while ranks.running[0].poll() is None:
        time.sleep(1)
        victim = rng.randrange(1, 4)
        if ranks.running[victim].poll() is None:
            ranks.kill(victim)
            ranks.start(victim)
    finish(ranks, small)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_rank_0_is_killed_and_started_again(
    share: float, small: Undisturbed, tmp_path: Path, processes: list[Processes]
) -> None:
    ranks = Processes(small.archive, tmp_path / "out", 3, takeover=3)
    processes.append(ranks)
    for rank in range(3):
        ranks.start(rank)
    time.sleep(share * small.seconds)
    if ranks.running[0].poll() is None:
        ranks.kill(0)
        ranks.start(0)
    finish(ranks, small)


@pytest.mark.slow
def test_ranks_without_rank_0_end_with_an_error(small: Undisturbed, tmp_path: Path, processes: list[Processes]) -> None:
    ranks = Processes(small.archive, tmp_path / "out", 3, takeover=1)
    processes.append(ranks)
    for rank in range(3):
        ranks.start(rank)
    time.sleep(0.5 * small.seconds)
    ranks.kill(0)
    for rank in (1, 2):
        told, complaints = ranks.running[rank].communicate(timeout=LIMIT)
        assert ranks.running[rank].returncode == 2 and told == ""
        assert f"rank {rank} saw no sign of rank 0 for 10 seconds" in complaints
    assert newsdata.build(small.archive, tmp_path / "out", num_proc=1).created


@pytest.mark.slow
def test_a_stop_reaches_a_rank(small: Undisturbed, tmp_path: Path, processes: list[Processes]) -> None:
    ranks = Processes(small.archive, tmp_path / "out", 2, takeover=30)
    processes.append(ranks)
    for number in (signal.SIGINT, signal.SIGTERM):
        process = ranks.start(1)
        time.sleep(4)
        process.send_signal(number)
        told, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 130 and told == ""


@pytest.mark.slow
def test_a_rank_with_other_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = shaping_tools() | {"code of newsdata": "0" * 12}
    monkeypatch.setattr("newsdata.building.ranks.shaping_tools", lambda: tools)
    archive = write_archive(tmp_path / "in", first_files())
    with pytest.raises(AssertionError, match=r"code of newsdata 0+ \(rank 0: "):
        build(archive, tmp_path / "out", 2, takeover=0.5)
