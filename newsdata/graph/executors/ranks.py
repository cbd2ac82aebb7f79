"""Ranks: several processes, on any hosts, that do the tasks of one build together. This is rank 0; `rank` has the others.

Rank 0 is the build itself. For every stage it writes plans; of the tasks, rank R does those with `number % size == R`. Other
ranks do nothing else: they read plans, run their tasks, and put the results into the store. Rank 0 does its own tasks, waits
for the others, and does what a rank leaves undone that has given no sign for some time. So a rank that dies, or never comes,
costs time only; and two processes with one rank do no harm, because a result that is made twice is the same.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from ...errors import MachineError, NewsdataError
from ...objects import Objects
from ..engine import Executor, Job, Jobs
from ..plan import pack, write_plans
from ..store import Store
from ..task import Artifact
from .board import (
    BOARD,
    LONGEST_PAUSE,
    Notice,
    Pause,
    PlanNotice,
    RankNotice,
    Watched,
    beating,
    new_name,
    rank_name,
    write_notice,
)

__all__ = ["Ranks", "lead_ranks"]

_HUNG = 10.0  # times `takeover`: after so long without a result, a rank that gives signs counts as gone, too


@dataclass(slots=True, kw_only=True)
class _Leader:
    """Writes rank 0's object. One thread says what is to be done, another one shows signs of life.

    Attributes:
        board: where the object lies.
        notice: what was written last.
    """

    board: Objects
    notice: Notice
    lock: threading.Lock = field(default_factory=threading.Lock)

    def show_life(self) -> None:
        """Write the object anew, so that other ranks see a sign of life."""
        self._write()

    def offer(self, plan: PlanNotice) -> None:
        """Add a plan to those that are to be done."""
        self._write(plans=[*self.notice.plans, plan])

    def withdraw_plans(self) -> None:
        """Say that nothing is to be done now."""
        self._write(plans=())

    def end(self) -> None:
        """Say that the build has ended."""
        self._write(plans=(), ended=True)

    def _write(self, **changes: Any) -> None:
        with self.lock:
            self.notice = msgspec.structs.replace(self.notice, **changes, count=self.notice.count + 1)
            write_notice(self.board, BOARD, self.notice)


@dataclass(slots=True, kw_only=True)
class _Other:
    """Another rank, as rank 0 sees it.

    Attributes:
        watched: its object on the board.
        left: the positions of its tasks that have no result yet, in order.
        moved: when its last result was seen, or when it was given its tasks.
    """

    watched: Watched[RankNotice]
    left: deque[int] = field(default_factory=deque)
    moved: float = 0.0


class Ranks:
    """The executor of rank 0; `lead_ranks` makes it.

    Attributes:
        elsewhere: its workers may be on other hosts.
    """

    elsewhere = True

    def __init__(self, leader: _Leader, inner: Executor, root: Path, takeover: float) -> None:
        self._leader = leader
        self._inner = inner
        self._root = root
        self._takeover = takeover
        self._size = leader.notice.size
        names = map(rank_name, range(1, self._size))
        self._others = [_Other(watched=Watched(leader.board, name, RankNotice)) for name in names]

    def run(self, function: Callable[[Job], Artifact], tasks: Jobs) -> Iterator[Artifact]:
        """Run the tasks of a stage on all ranks; a single task runs here."""
        if len(tasks) == 1 or self._size == 1:
            yield from self._inner.run(function, tasks)
            return
        done: dict[int, Artifact] = {}
        given = 0
        for number, artifact in self._results(function, tasks):
            done[number] = artifact
            while given in done:
                yield done.pop(given)
                given += 1

    def _results(self, function: Callable[[Job], Artifact], tasks: Jobs) -> Iterator[tuple[int, Artifact]]:
        """The position and the result of each task, in any order."""
        self._hand_out(tasks)
        try:
            own = range(0, len(tasks), self._size)
            looked = time.monotonic()
            for number, artifact in zip(own, self._inner.run(function, tasks.some(own)), strict=False):
                yield number, artifact
                if time.monotonic() - looked > LONGEST_PAUSE:
                    yield from self._collect(tasks)
                    looked = time.monotonic()
            pause = Pause()
            while any(other.left for other in self._others):
                found = [*self._collect(tasks)]
                yield from found
                if found:
                    pause.shorten()
                if lost := self._take_over(tasks):
                    yield from zip(lost, self._inner.run(function, tasks.some(lost)), strict=False)
                elif not found:
                    pause.wait()
        finally:
            with suppress(MachineError):
                self._leader.withdraw_plans()

    def _hand_out(self, tasks: Jobs) -> None:
        """Write the plans with the tasks of the other ranks."""
        tasks.store.forget(tasks.keys)
        for rank, other in enumerate(self._others, 1):
            other.left = deque(range(rank, len(tasks), self._size))
            other.moved = time.monotonic()
        first = 0
        for part in write_plans(tasks.some(n for n in range(len(tasks)) if n % self._size), self._root):
            self._leader.offer(PlanNotice(key=part.key, first=first))
            first += int(part.facts["tasks"])

    def _collect(self, tasks: Jobs) -> Iterator[tuple[int, Artifact]]:
        """The results of other ranks that are there now; each rank does its tasks in order."""
        for other in self._others:
            while other.left and (found := tasks.store.record(tasks.keys[other.left[0]])):
                other.moved = time.monotonic()
                yield other.left.popleft(), found

    def _take_over(self, tasks: Jobs) -> list[int]:
        """The positions of tasks that another rank cannot do, or does not do: it gives no sign, or it hangs."""
        lost: list[int] = []
        for other in self._others:
            if not other.left:
                continue
            notice = other.watched.look()
            hangs = time.monotonic() - other.moved > _HUNG * self._takeover
            if hangs or other.watched.silent > self._takeover:
                gone = {*other.left}
            else:
                failed = set(notice.failed) if notice else set()
                gone = {number for number in other.left if tasks.keys[number] in failed}
            lost += gone
            other.left = deque(number for number in other.left if number not in gone)
        return sorted(lost)


@contextmanager
def lead_ranks(
    *,
    board: Objects,
    store: Store,
    root: Path,
    size: int,
    inner: Executor,
    takeover: float,
    tools: Mapping[str, str],
    job: str = "",
) -> Iterator[Ranks]:
    """A context with the executor of rank 0. Whoever opens it holds the lock of the build.

    If it ends with an error that is no `NewsdataError`, such as a stop from outside, the other ranks wait for another rank 0.

    Args:
        board: the folder through which ranks talk.
        store: of the build.
        root: the folder of the build, which other ranks may know under another path; see `plan.pack`.
        size: the number of ranks, this one included.
        inner: runs this rank's own tasks.
        takeover: seconds without a sign of life after which a rank counts as gone.
        tools: what shapes bytes: name -> version.
        job: the name of the job on the cluster, "" if it has none.
    """
    board.delete([name for name, _ in board.names()])
    notice = Notice(build=new_name(), job=job, size=size, tools=tools, store=pack(store, root))
    leader = _Leader(board=board, notice=notice)
    leader.show_life()
    try:
        with beating(leader.show_life, takeover):
            yield Ranks(leader, inner, root, takeover)
    except NewsdataError:
        leader.end()
        raise
    leader.end()
