"""A rank other than 0: it waits for plans, runs its tasks, and waits for more, until rank 0 says that the build has ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from ...errors import MachineError, first_line
from ...objects import Objects
from ..engine import Job, run_job
from ..plan import Functions, Plan, read_plan, unpack
from ..store import Store
from .board import (
    BOARD,
    Notice,
    Pause,
    PlanNotice,
    RankNotice,
    Watched,
    beating,
    new_name,
    place_of,
    rank_name,
    write_notice,
)
from .local import InProcess, WorkerPool
from .versions import check_same_versions

__all__ = ["PATIENCE", "Rank", "serve_rank"]

_LOG = logging.getLogger("newsdata")

PATIENCE = 10.0
"""A rank ends with an error if it saw no sign of rank 0 for `PATIENCE * takeover` seconds."""

_NOBODY = Notice(build="", size=0, tools={}, store=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """Who a rank is, and what it works with.

    Attributes:
        board: the folder through which ranks talk.
        rank, size: its number, and the number of ranks.
        job: the name of the job on the cluster, "" if it has none.
        root: the folder of the build, as this host calls it.
        functions: the functions that it may be told to run.
        prepare: changes a task's data so that it can be used on this host.
        inner: runs its tasks.
        tools: what shapes bytes on this host: name -> version.
        takeover: seconds after which a process without a sign of life counts as gone.
    """

    board: Objects
    rank: int
    size: int
    job: str
    root: Path
    functions: Functions
    prepare: Callable[[Any], Any]
    inner: InProcess | WorkerPool
    tools: Mapping[str, str]
    takeover: float


def serve_rank(about: Rank) -> int:
    """Work as a rank until the build has ended.

    Returns:
        The number of tasks that it did.

    Raises:
        MachineError: rank 0 gave no sign for `PATIENCE * takeover` seconds, or it has another number of ranks, or other
            versions of what shapes bytes.
    """
    worker = _Worker(about=about, news=Watched(about.board, BOARD, Notice))
    try:
        with beating(worker.write, about.takeover):
            worker.serve()
    finally:
        worker.leave()
    return worker.done


@dataclass(slots=True, kw_only=True)
class _Worker:
    """A rank at work.

    Attributes:
        about: who it is.
        news: rank 0's object.
        build: the build that it works for, as rank 0 described it.
        store: of this build.
        finished: the keys of the plans that it is done with.
        notice: what it says itself.
        done: the number of tasks that it did.
    """

    about: Rank
    news: Watched[Notice]
    build: Notice = _NOBODY
    store: Store = field(default_factory=lambda: Store(folder=Path()))
    finished: set[str] = field(default_factory=set)
    notice: RankNotice = field(default_factory=lambda: RankNotice(owner=new_name()))
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self) -> None:
        """Follow what rank 0 says, until it says that the build has ended."""
        pause = Pause()
        while True:
            said = self._look()
            if said.ended and (said.build == self.build.build or (said.job and said.job == self.about.job)):
                return
            if self.news.silent > PATIENCE * self.about.takeover:
                raise MachineError(
                    f"rank {self.about.rank} saw no sign of rank 0 for {PATIENCE * self.about.takeover:.0f} seconds",
                    path=place_of(self.about.board),
                    hint="start rank 0, then this rank again; what is done is not done again",
                )
            if said.build and not said.ended:
                self._join(said)
                if wanted := [plan for plan in said.plans if plan.key not in self.finished]:
                    self._run(wanted[0])
                    pause.shorten()
                    continue
            pause.wait()

    def write(self) -> None:
        """Say that this rank is alive, once it works for a build."""
        with self.lock:
            if self.build.build:
                self.notice = msgspec.structs.replace(self.notice, build=self.build.build, count=self.notice.count + 1)
                write_notice(self.about.board, rank_name(self.about.rank), self.notice)

    def leave(self) -> None:
        """Remove this rank's object."""
        if self.build.build:
            with suppress(MachineError):
                self.about.board.delete([rank_name(self.about.rank)])

    def _look(self) -> Notice:
        """What rank 0 says now; `_NOBODY` as long as it has said nothing."""
        return self.news.look() or _NOBODY

    def _join(self, said: Notice) -> None:
        """Begin to work for a build, if that is another one than before."""
        if said.build == self.build.build:
            return
        about = self.about
        if said.size != about.size:
            raise MachineError(
                f"rank {about.rank} is one of {about.size}, but rank 0 is one of {said.size}",
                path=place_of(about.board),
                hint="give every rank the same number of ranks",
            )
        check_same_versions(
            about.tools, said.tools, own_name=f"rank {about.rank}", leader_name="rank 0", path=place_of(about.board)
        )
        self.store = _store(said, about)
        self.finished.clear()
        self.build, self.notice = said, msgspec.structs.replace(self.notice, failed=())
        self.write()
        _LOG.info("rank %d works for build %s", about.rank, said.build)

    def _run(self, part: PlanNotice) -> None:
        """Do this rank's tasks of a plan, as long as rank 0 wants them."""
        about = self.about
        self.finished.add(part.key)
        try:
            plan = read_plan(part.key, self.store, about.root)
        except (MachineError, OSError) as error:  # removed meanwhile, or not there yet: rank 0 takes over
            _LOG.warning("rank %d: %s", about.rank, error)
            return
        rows = [row for row in range(len(plan)) if (part.first + row) % (about.size - 1) + 1 == about.rank]
        rows = [row for row in rows if not self.store.record(plan.key(row))]
        while rows and self._wants(part):
            rows = self._run_rows(plan, rows, part)

    def _run_rows(self, plan: Plan, rows: list[int], part: PlanNotice) -> list[int]:
        """Do tasks in order until one fails. Returns the rows after that one, which are still to be done; else none."""
        done = 0
        try:
            for _ in self.about.inner.run(run_job, _Rows(plan, rows, self.about, self.store)):
                done += 1
                self.done += 1
                if not self._wants(part):
                    break
            return []
        except Exception as error:  # rank 0 does this task, and says what is wrong
            key = plan.key(rows[done])
            _LOG.warning("rank %d could not do %s: %s", self.about.rank, key, first_line(error))
            with self.lock:
                self.notice = msgspec.structs.replace(self.notice, failed=[*self.notice.failed, key])
            self.write()
            return rows[done + 1 :]

    def _wants(self, part: PlanNotice) -> bool:
        """Whether rank 0 still waits for a plan."""
        said = self._look()
        return said.build == self.build.build and any(plan.key == part.key for plan in said.plans)


@dataclass(frozen=True, slots=True)
class _Rows(Sequence[Job]):
    """Some rows of a plan, as jobs for this host."""

    plan: Plan
    rows: Sequence[int]
    about: Rank
    store: Store

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return replace(self, rows=self.rows[at])
        job = self.plan.job(self.rows[at], self.about.functions, self.store)
        return replace(job, data=self.about.prepare(job.data))


def _store(said: Notice, about: Rank) -> Store:
    """The store that rank 0 named."""
    try:
        store: Store = unpack(said.store, Store, about.root)
        return store
    except Exception as error:
        raise MachineError(f"this board cannot be used: {first_line(error)}", path=place_of(about.board)) from error
