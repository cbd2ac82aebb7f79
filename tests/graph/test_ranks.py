"""Ranks: whoever dies, hangs, comes late or twice, the results are there, each in its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from newsdata.errors import MachineError, SourceError
from newsdata.graph.engine import Engine
from newsdata.graph.executors import rank as rank_module
from newsdata.graph.executors import ranks as ranks_module
from newsdata.graph.executors.board import (
    BOARD,
    Notice,
    PlanNotice,
    RankNotice,
    beating,
    rank_name,
    read_notice,
    write_notice,
)
from newsdata.graph.executors.local import InProcess, WorkerPool, local_executor
from newsdata.graph.executors.rank import Rank, serve_rank
from newsdata.graph.executors.ranks import Ranks, lead_ranks
from newsdata.graph.store import Store
from newsdata.graph.task import Artifact, Bench, Task
from newsdata.objects import Objects

TOOLS = {"pyarrow": "26"}
QUICK = 0.4  # seconds without a sign of life after which a rank counts as gone, here


def doubled(data: Sequence[str], bench: Bench) -> dict[str, Any]:
    """Doubles a letter; a file named like the letter makes it fail or hang in all threads but the main one."""
    letter, folder = data
    here = threading.current_thread() is threading.main_thread()
    if (Path(folder) / f"broken-{letter}").exists():
        raise SourceError(f"{letter} cannot be read")
    if not here and (Path(folder) / f"slow-{letter}").exists():
        time.sleep(1.5)
    bench.file("text").write_text(2 * letter)
    return {"rank": threading.current_thread().name}


FUNCTIONS = {"double/1": doubled}


class Party:
    """A build and its ranks, as threads that share a folder."""

    def __init__(self, folder: Path, size: int, takeover: float = 20.0) -> None:
        self.folder, self.size, self.takeover = folder, size, takeover
        self.board = Objects(url=(folder / "ranks").as_uri())
        (folder / "cache").mkdir(parents=True, exist_ok=True)
        self.store = Store(folder=folder / "cache")
        self.ends: dict[str, int | Exception] = {}
        self.threads: list[threading.Thread] = []

    def rank(self, rank: int, **changed: Any) -> Rank:
        given: dict[str, Any] = {
            "board": self.board, "rank": rank, "size": self.size, "job": "", "root": self.folder, "functions": FUNCTIONS,
            "prepare": lambda data: data, "inner": InProcess(), "tools": TOOLS, "takeover": self.takeover,
        }  # fmt: skip
        return Rank(**given | changed)

    def start(self, rank: int, name: str = "", **changed: Any) -> None:
        """Start a rank."""
        name = name or f"rank {rank}"

        def work() -> None:
            try:
                self.ends[name] = serve_rank(self.rank(rank, **changed))
            except Exception as error:
                self.ends[name] = error

        self.threads.append(threading.Thread(target=work, name=name, daemon=True))
        self.threads[-1].start()

    @contextmanager
    def led(self, **changed: Any) -> Iterator[Ranks]:
        """Rank 0; at its end all ranks have ended."""
        given: dict[str, Any] = {
            "board": self.board, "store": self.store, "root": self.folder, "size": self.size, "inner": InProcess(),
            "takeover": self.takeover, "tools": TOOLS,
        }  # fmt: skip
        with lead_ranks(**given | changed) as ranks:
            yield ranks
        self.join()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()

    def task(self, letter: str) -> Task:
        data = [letter, str(self.folder)]
        return Task(stage="double/1", inputs=(letter,), function=doubled, data=lambda: data)

    def run(self, ranks: Ranks, letters: Sequence[str]) -> list[Artifact]:
        with Engine(store=self.store, executor=ranks).stage("double") as stage:
            made = stage.run([self.task(letter) for letter in letters])
        assert [one.files["text"].checked().read_text() for one in made] == [2 * letter for letter in letters]
        return made


def who(made: Sequence[Artifact]) -> list[str]:
    """Which rank made each result."""
    return [str(one.facts["rank"]).replace("MainThread", "rank 0") for one in made]


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_every_rank_does_its_part(size: int, tmp_path: Path) -> None:
    party = Party(tmp_path, size)
    for rank in range(1, size):
        party.start(rank)
    with party.led() as ranks:
        assert who(party.run(ranks, "abcdefghij")) == [f"rank {number % size}" for number in range(10)]
        assert who(party.run(ranks, "k")) == ["rank 0"], "one task is not worth the way"
        assert who(party.run(ranks, "lm")) == ["rank 0", f"rank {min(1, size - 1)}"]
    done = [party.ends[f"rank {rank}"] for rank in range(1, size)]
    assert done == [len(range(rank, 10, size)) + (rank == 1) for rank in range(1, size)]
    assert [name for name, _ in party.board.names()] == [BOARD], "what stays says that the build has ended"


def test_a_stage_of_several_plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsdata.graph.plan._PART_BYTES", 3 * len(str(tmp_path)))
    party = Party(tmp_path, 3)
    party.start(1)
    party.start(2)
    with party.led() as ranks:
        assert who(party.run(ranks, "abcdefghijklm")) == [f"rank {number % 3}" for number in range(13)]
    assert len([key for key in sorted(party.store.keys()) if key.startswith("plan1")]) > 2


@pytest.mark.slow
def test_a_missing_rank_costs_time_once(tmp_path: Path) -> None:
    party = Party(tmp_path, 3, QUICK)
    party.start(2)
    begin = time.monotonic()
    with party.led() as ranks:
        assert who(party.run(ranks, "abcdef")) == ["rank 0", "rank 0", "rank 2"] * 2
        assert time.monotonic() - begin >= QUICK
        begin = time.monotonic()
        party.run(ranks, "ghijkl")
        assert time.monotonic() - begin < QUICK


@pytest.mark.slow
def test_a_rank_that_hangs_counts_as_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives signs of life, but no result."""
    monkeypatch.setattr(ranks_module, "_HUNG", 1.0)
    (tmp_path / "slow-b").touch()
    party = Party(tmp_path, 2, QUICK)
    party.start(1)
    with party.led() as ranks:
        assert who(party.run(ranks, "abcd")) == ["rank 0"] * 4


def test_an_error_in_a_rank_is_raised_by_rank_0(tmp_path: Path) -> None:
    (tmp_path / "broken-d").touch()
    party = Party(tmp_path, 2)
    party.start(1)
    begin = time.monotonic()
    with pytest.raises(SourceError, match="d cannot be read"), party.led() as ranks:
        party.run(ranks, "abcdef")
    party.join()
    assert time.monotonic() - begin < party.takeover, "rank 0 need not wait until the rank counts as gone"
    assert party.ends == {"rank 1": 2}, "it went on with its other tasks"


@pytest.mark.slow
def test_a_rank_may_come_late_and_twice(tmp_path: Path) -> None:
    party = Party(tmp_path, 3)
    party.start(1, "one")
    party.start(1, "another")
    with party.led() as ranks:
        timer = threading.Timer(0.3, party.start, [2])
        timer.start()
        made = party.run(ranks, "abcdefghi")
        timer.join()
    assert set(who(made)[2::3]) == {"rank 2"} and set(who(made)[1::3]) <= {"one", "another"}
    done = [party.ends["one"], party.ends["another"]]
    assert all(isinstance(count, int) for count in done) and 3 <= sum(map(int, map(str, done))) <= 6


def test_another_rank_0_goes_on(tmp_path: Path) -> None:
    """The first one is killed: it writes no end. The ranks wait for the second."""
    party = Party(tmp_path, 2)
    party.start(1)
    with pytest.raises(KeyboardInterrupt), party.led() as ranks:
        party.run(ranks, "abcd")
        raise KeyboardInterrupt
    with party.led() as ranks:
        assert who(party.run(ranks, "efgh")) == ["rank 0", "rank 1"] * 2
    assert party.ends == {"rank 1": 4}


@pytest.mark.slow
def test_a_rank_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_module, "PATIENCE", 1.0)
    party = Party(tmp_path, 2, QUICK)
    party.start(1)
    party.join()
    assert f"{tmp_path / 'ranks'}: rank 1 saw no sign of rank 0 for 0 seconds" in str(party.ends["rank 1"])
    assert "file:" not in str(party.ends["rank 1"])
    assert not (tmp_path / "ranks").exists(), "it leaves nothing where no build is"
    with pytest.raises(KeyboardInterrupt), party.led() as ranks:
        party.start(1, "again")
        party.run(ranks, "ab")
        raise KeyboardInterrupt
    party.join()
    assert isinstance(party.ends["again"], MachineError)


@pytest.mark.slow
def test_a_rank_that_comes_when_all_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_module, "PATIENCE", 1.0)
    party = Party(tmp_path, 2, QUICK)
    with party.led(job="job-7") as ranks:
        party.run(ranks, "ab")
    party.start(1, "of this job", job="job-7")
    party.start(1, "of another", job="job-8")
    party.start(1, "of none")
    party.join()
    assert party.ends["of this job"] == 0
    assert isinstance(party.ends["of another"], MachineError) and isinstance(party.ends["of none"], MachineError)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"size": 3}, "one of 3, but rank 0 is one of 2"),
        ({"tools": {"pyarrow": "25"}}, r"pyarrow 25 \(rank 0: 26\)"),
        ({"tools": {"pyarrow": "26", "numpy": "2"}}, r"numpy 2 \(rank 0: missing\)"),
    ],
)
def test_a_rank_that_does_not_fit_is_refused(changed: dict[str, Any], why: str, tmp_path: Path) -> None:
    party = Party(tmp_path, 2, QUICK)
    party.start(1, **changed)
    with party.led() as ranks:
        assert who(party.run(ranks, "ab")) == ["rank 0", "rank 0"]
    with pytest.raises(MachineError, match=why):
        raise party.ends["rank 1"]  # type: ignore[misc]


def test_a_rank_knows_the_folder_by_another_path(tmp_path: Path) -> None:
    party = Party(tmp_path / "here", 2)
    (tmp_path / "there").symlink_to(tmp_path / "here")
    board = Objects(url=(tmp_path / "there" / "ranks").as_uri())
    party.start(1, root=tmp_path / "there", board=board)
    with party.led() as ranks:
        assert who(party.run(ranks, "abcd")) == ["rank 0", "rank 1"] * 2


@pytest.mark.parametrize("workers", [1, 2])
def test_a_rank_has_workers_of_its_own(workers: int, tmp_path: Path) -> None:
    party = Party(tmp_path, 2)
    with ExitStack() as stack:
        inner: InProcess | WorkerPool = stack.enter_context(local_executor(workers))
        party.start(1, inner=inner)
        with party.led() as ranks:
            party.run(ranks, "abcdefghijkl")
    assert party.ends == {"rank 1": 6}


BOARDS: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"\xff{",
    "a list": b"[]",
    "other fields": b'{"build": 1}',
    "deep": b"[" * 100_000,
    "a store elsewhere": b'{"build":"b","size":2,"tools":{"pyarrow":"26"},"store":"gqZmb2xkZXKlLi4vYQ=="}',
}


@pytest.mark.parametrize("data", BOARDS.values(), ids=BOARDS)
def test_a_hostile_board_is_an_error_of_ours(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_module, "PATIENCE", 1.0)
    party = Party(tmp_path, 2, QUICK)
    party.board.put(BOARD, data)
    with pytest.raises(MachineError):
        serve_rank(party.rank(1))


def test_a_plan_that_is_gone_is_left_to_rank_0(tmp_path: Path) -> None:
    party = Party(tmp_path, 2)
    with party.led() as ranks:
        leader = ranks._leader
        leader.offer(PlanNotice(key="plan1-0", first=0))
        party.start(1)
        time.sleep(0.2)
        party.run(ranks, "abcd")
    assert party.ends == {"rank 1": 2}


def test_signs_of_life_go_on_while_a_task_runs(tmp_path: Path) -> None:
    board = Objects(url=tmp_path.as_uri())
    counts = iter(range(1000))
    seen: set[int] = set()

    def write() -> None:
        write_notice(board, rank_name(3), RankNotice(count=next(counts)))

    with beating(write, QUICK):
        begin = time.monotonic()
        while time.monotonic() - begin < QUICK:
            notice = read_notice(board, rank_name(3), RankNotice)
            seen |= {notice.count} if isinstance(notice, RankNotice) else set()
            time.sleep(0.01)
    assert len(seen) >= 4
    assert read_notice(board, rank_name(3), Notice) is None, "it is of another kind"
