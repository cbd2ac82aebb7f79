"""The engine: looks up the result of each task in the store, and has the executor run the tasks whose result is missing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, overload

from ..errors import MachineError
from .store import LastBuild, Store
from .task import Artifact, Task, TaskFunction

__all__ = ["Engine", "Executor", "Job", "Jobs", "Progress", "Stage", "StageCounts", "partitions_of", "run_job"]

_LOG = logging.getLogger("newsdata")

Progress = Callable[[str, int, int], None]
"""A function that is called with the name of a stage, the number of rows that are done, and the number of all rows."""

_PARTITION_ROWS = 500_000  # so few that no step over one takes more than about 200 MB


def partitions_of(rows: int) -> int:
    """Into how many parts a step over so many rows is divided, if nobody says it.

    >>> partitions_of(0), partitions_of(500_000), partitions_of(500_001)
    (1, 1, 2)
    """
    return max(1, -(-rows // _PARTITION_ROWS))


@dataclass(slots=True, kw_only=True)
class StageCounts:
    """What a stage did.

    Attributes:
        seconds: wall time.
        rows: how many rows (files, posts or articles) the stage works on.
        tasks: how many tasks it has: `ran` + `found`.
        ran: how many tasks were run.
        found: how many results were found in the store.
    """

    seconds: float = 0.0
    rows: int = 0
    tasks: int = 0
    ran: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task in the form that is sent to a worker.

    Attributes:
        store: where the result is put.
        key, function: as in `Task`.
        data: what `Task.data` returned.
        seed: the key of the artifact that may save work; "" for none.
    """

    store: Store
    key: str
    function: TaskFunction
    data: object
    seed: str


def run_job(job: Job) -> Artifact:
    """Run one task and put its result into the store.

    It may run twice, in any process: the second result replaces an equal one.
    """
    bench = job.store.begin(job.store.find(job.seed) if job.seed else None)
    try:
        facts = job.function(job.data, bench)
        return job.store.commit(job.key, bench, facts)
    except BaseException:
        job.store.discard(bench)
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs(Sequence[Job]):
    """The tasks of a stage whose results are missing. The data of a task is made when an executor takes its job.

    Attributes:
        store: where results are put.
        keys, tasks: the tasks, and the key of each.
        seeds: the key of the seed of each task, "" for none.
    """

    store: Store
    keys: Sequence[str]
    tasks: Sequence[Task]
    seeds: Sequence[str]

    def some(self, positions: Iterable[int]) -> Jobs:
        """The jobs at some positions."""
        at = [*positions]
        return Jobs(
            store=self.store,
            keys=[self.keys[n] for n in at],
            tasks=[self.tasks[n] for n in at],
            seeds=[self.seeds[n] for n in at],
        )

    def __len__(self) -> int:
        """The number of tasks."""
        return len(self.tasks)

    @overload
    def __getitem__(self, at: int) -> Job: ...

    @overload
    def __getitem__(self, at: slice) -> Jobs: ...

    def __getitem__(self, at: int | slice) -> Job | Jobs:
        """The job at a position, or the jobs of a slice."""
        if isinstance(at, slice):
            return Jobs(store=self.store, keys=self.keys[at], tasks=self.tasks[at], seeds=self.seeds[at])
        task, key, seed = self.tasks[at], self.keys[at], self.seeds[at]
        return Job(store=self.store, key=key, function=task.function, data=task.data(), seed=seed)


class Executor(Protocol):
    """What the engine needs of an executor: one method.

    `run` calls `function` with each of `tasks` and returns the results in the order of the tasks. It may run a task twice, at
    the same time or one after the other, in any process that has the same newsdata and sees the same files.
    """

    def run(self, function: Callable[[Job], Artifact], tasks: Jobs) -> Iterable[Artifact]: ...  # noqa: D102


@dataclass(slots=True, kw_only=True)
class Engine:
    """Runs the tasks of one build.

    Attributes:
        store: where results are found and put.
        executor: runs the tasks whose results are missing.
        progress: called when rows are done, or None.
        seeds: whether results of the last build may save work; the results are the same without them.
        partitions: into how many parts the steps over all rows are divided; None to choose it by the number of rows. The
            results are the same.
        counts: what each stage did so far, by its name.
        places: place -> key of the artifact that this build used there; see `Task.place`.
        used: the keys of all artifacts that this build used, temporary ones excepted.
        last: what the last finished build used.
    """

    store: Store
    executor: Executor
    progress: Progress | None = None
    seeds: bool = True
    partitions: int | None = None
    counts: dict[str, StageCounts] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    last: LastBuild = field(init=False)

    def __post_init__(self) -> None:
        """Look up what the last build used."""
        self.last = self.store.last()

    @property
    def elsewhere(self) -> bool:
        """Whether workers may be on other hosts: the attribute `elsewhere` of the executor, if it has one."""
        return bool(getattr(self.executor, "elsewhere", False))

    def partitions_for(self, rows: int) -> int:
        """Into how many parts a step over so many rows is divided."""
        return self.partitions or partitions_of(rows)

    @contextmanager
    def stage(self, name: str, rows: int = 0) -> Iterator[Stage]:
        """A context that counts and times what is done inside it as the stage `name`, over `rows` rows.

        A stage may be entered more than once; its counts and seconds are then added up.
        """
        begin = time.perf_counter()
        stage = Stage(engine=self, name=name, counts=self.counts.setdefault(name, StageCounts()))
        stage.counts.rows += rows
        stage.advance(0)
        yield stage
        counts = stage.counts
        counts.seconds = round(counts.seconds + time.perf_counter() - begin, 4)
        _LOG.info(
            "%s: %d rows, %d tasks, %d found in the store, %d run, %.2f s",
            name, counts.rows, counts.tasks, counts.found, counts.ran, counts.seconds,
        )  # fmt: skip

    def seed_of(self, key: str, place: str) -> Artifact | None:
        """The artifact that may save work when the artifact `key` is made: the one that the last build used at `place`.

        Returns:
            None if there is no such artifact, if another version of the stage's code made it, or if `seeds` is False.
        """
        seed = self.seed_key(key, place)
        return self.store.find(seed) if seed else None

    def seed_key(self, key: str, place: str) -> str:
        """The key of what `seed_of` looks for; "" if there is none."""
        seed = self.last.places.get(place, "") if self.seeds and place else ""
        return seed if seed.partition("-")[0] == key.partition("-")[0] else ""

    def use(self, key: str, place: str = "") -> None:
        """Note that this build uses the artifact `key`: the store keeps it, and it is the next build's seed at `place`."""
        self.used.add(key)
        if place:
            self.places[place] = key

    def remember(self, facts: Mapping[str, Any]) -> None:
        """Store what this build used, and `facts`, for the next build; remove every other artifact from the store."""
        self.store.remember(LastBuild(places=self.places, keys=tuple(sorted(self.used)), facts=facts))
        self.store.sweep(self.used)

    def remember_more(self, facts: Mapping[str, Any]) -> None:
        """Like `remember`, but also keep what the last build used: for a build that ended early because nothing changed.

        An artifact is not kept if this build used another one at its place.
        """
        if self.used:
            self.places = {**self.last.places, **self.places}
            replaced = {*self.last.places.values()}.difference(self.places.values())
            self.used |= {*self.last.keys} - replaced
            self.remember(facts)


@dataclass(slots=True, kw_only=True)
class Stage:
    """A stage that is running; `Engine.stage` makes it.

    Attributes:
        engine: runs its tasks.
        name: of the stage.
        counts: what it did so far.
    """

    engine: Engine
    name: str
    counts: StageCounts
    _done: int = 0

    def advance(self, rows: int) -> None:
        """Report that `rows` more rows are done."""
        self._done += rows
        if self.engine.progress:
            self.engine.progress(self.name, self._done, self.counts.rows)

    def run(self, tasks: Sequence[Task]) -> list[Artifact]:
        """The results of the tasks, in their order: found in the store, or made now.

        Which results are missing is decided once, before the first task runs.

        Raises:
            MachineError: the executor returned too few or too many results, or the results of other tasks.
        """
        engine = self.engine
        keys = [task.key for task in tasks]
        results = engine.store.find_all(keys)
        missing: dict[str, Task] = {}
        for key, task in zip(keys, tasks, strict=True):
            if key in results:
                self.advance(task.rows)
            else:
                missing.setdefault(key, task)
        for artifact, (key, task) in zip(self._run(missing), missing.items(), strict=True):
            results[key] = artifact
            self.advance(task.rows)
        self.counts.tasks += len(tasks)
        self.counts.ran += len(missing)
        self.counts.found += len(tasks) - len(missing)
        for key, task in zip(keys, tasks, strict=True):
            if not task.temporary:
                engine.use(key, task.place)
        return [results[key] for key in keys]

    def run_anew(self, tasks: Sequence[Task]) -> Iterator[Artifact]:
        """The results of tasks that this build alone can use, in their order, as they come. They are not counted.

        Raises:
            MachineError: as for `run`.
        """
        return self._run({task.key: task for task in tasks})

    def _run(self, tasks: Mapping[str, Task]) -> Iterator[Artifact]:
        """The results of tasks that are not in the store, by key."""
        engine = self.engine
        jobs = Jobs(
            store=engine.store,
            keys=[*tasks],
            tasks=[*tasks.values()],
            seeds=[engine.seed_key(key, task.place) for key, task in tasks.items()],
        )
        made = engine.executor.run(run_job, jobs) if tasks else ()
        for artifact, key in zip(_checked_results(made, len(tasks)), tasks, strict=True):
            if artifact.key != key:
                raise MachineError(f"the executor returned {artifact.key} as the result of {key}")
            yield artifact

    def run_one(self, task: Task) -> Artifact:
        """The result of one task."""
        return self.run([task])[0]

    def lacks(self, task: Task) -> bool:
        """Whether the result of a task is missing, so that what it needs must be made first."""
        return self.engine.store.find(task.key) is None

    def count_task(self, *, ran: bool = True) -> None:
        """Count work that this process did without a `Task` as one task that was run, or (`ran` is False) found."""
        self.counts.tasks += 1
        self.counts.ran += ran
        self.counts.found += not ran


def _checked_results(results: Iterable[Any], wanted: int) -> Iterator[Artifact]:
    """The results as they come. Raises a `MachineError` if one is no artifact, or if there are too few or too many."""
    count = 0
    for count, result in enumerate(results, 1):
        if not isinstance(result, Artifact) or count > wanted:
            raise MachineError(f"the executor returned {result!r:.100}, which is not a result of a task")
        yield result
    if count < wanted:
        raise MachineError(f"the executor returned {count} results for {wanted} tasks")
