"""The engines of a build: what runs its tasks, on this machine or on many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import CallError
from ..graph.engine import Engine, Executor
from ..graph.executors.local import local_executor
from ..graph.executors.ranks import lead_ranks
from ..graph.executors.ray_cluster import ray_executor
from ..graph.process import available_cores
from ..objects import Objects, is_object_url
from ..sources.source import Source
from ..sources.unpacked import digest_unpacked
from .ray_work import work
from .tools import shaping_tools
from .workspace import WORK, Workspace

__all__ = [
    "ENGINES",
    "TAKEOVER",
    "Place",
    "board_of",
    "check_engine",
    "open_executor",
    "place_among_ranks",
    "shared_source",
]

ENGINES = ("local", "ray", "ranks")
"""What may run the tasks of a build: this machine, a cluster of Ray, or several processes that know of each other."""

TAKEOVER = 60.0
"""Seconds without a sign of life after which the tasks of a worker are given to another one, if the caller names no others."""

_HUNG = 10.0  # times `TAKEOVER`: after so long without a result, an order to a worker of Ray is given once more

_BOARD = f"{WORK}/ranks"  # the folder in OUT through which ranks talk

_RANKS = (  # variables of a cluster: the rank, the lowest rank, the number of ranks
    ("JOB_COMPLETION_INDEX", "", "JOB_COMPLETION_COUNT"),
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"),
    ("SLURM_PROCID", "", "SLURM_NTASKS"),
)
_JOBS = ("NEWSDATA_JOB", "SLURM_ARRAY_JOB_ID", "SLURM_JOB_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A process among the ranks of a build.

    Attributes:
        rank: its number, from 0.
        size: the number of ranks.
        job: the name of the job on the cluster, "" if it has none. A rank that starts when its job is done ends at once.
    """

    rank: int
    size: int
    job: str = ""


def place_among_ranks(rank: int | None, size: int | None, environment: Mapping[str, str]) -> Place:
    """The place of this process: as given, else as the variables of Kubernetes or Slurm say.

    Args:
        rank: its number, or None.
        size: the number of ranks, or None.
        environment: the variables of the process.

    Raises:
        CallError: neither says it, or it makes no sense.

    >>> place_among_ranks(None, None, {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "4"})
    Place(rank=2, size=4, job='')
    >>> place_among_ranks(None, 8, {"JOB_COMPLETION_INDEX": "5"}).rank
    5
    """

    def number(name: str) -> int | None:
        text = environment.get(name, "") if name else ""
        if text and not (text.isascii() and text.isdigit()):
            raise CallError(f"is not a number: {text!r:.40}", field=name)
        return int(text) if text else None

    if rank is None or size is None:
        for own, lowest, count in _RANKS:
            if (found := number(own)) is not None:
                rank = found - (number(lowest) or 0) if rank is None else rank
                size = number(count) if size is None else size
                break
    if rank is None or size is None:
        what = "rank of this process" if rank is None else "number of ranks"
        raise CallError(
            f"the {what} is not known", hint="give --rank R --world-size N, or start it by Slurm or Kubernetes"
        )
    if size < 1:
        raise CallError(f"must be at least 1, got {size}", field="--world-size")
    if not 0 <= rank < size:
        hint = f"ranks count from 0; in a job array of Slurm, write --array=0-{size - 1}"
        raise CallError(f"must be from 0 to {size - 1}, got {rank}", field="--rank", hint=hint)
    return Place(rank=rank, size=size, job=next((environment[name] for name in _JOBS if environment.get(name)), ""))


def check_engine(engine: str, place: Place | None, takeover: float) -> None:
    """Validate what a caller of `build` says about engines.

    Raises:
        CallError: it makes no sense.
    """
    if engine not in ENGINES:
        raise CallError(f"must be one of {', '.join(ENGINES)}, got {engine!r}", field="engine")
    if (engine == "ranks") != (place is not None) or (place and place.rank):
        raise CallError("goes with engine ranks, and is that of rank 0", field="place")
    if not takeover > 0:
        raise CallError(f"must be a positive number of seconds, got {takeover!r}", field="takeover")


@contextmanager
def open_executor(
    engine: str | Executor, place: Place | None, workspace: Workspace, num_proc: int | None, takeover: float
) -> Iterator[Executor]:
    """A context with the executor of a build.

    Args:
        engine: one of `ENGINES`, or an executor, which is given back.
        place: of this process, rank 0, among the ranks; None if it is no rank.
        workspace: of the build, which holds its lock.
        num_proc: the workers on this machine; None for as many as there are cores.
        takeover: see `TAKEOVER`.
    """
    root = workspace.scratch or workspace.out
    if not isinstance(engine, str):
        yield engine
        return
    if engine == "ray":
        deadline = _HUNG * takeover
        with ray_executor(work, root=root, tools=shaping_tools(), workers=num_proc, deadline=deadline) as ray:
            yield ray
        return
    with local_executor(num_proc or available_cores()) as inner:
        if place is None:
            yield inner
            return
        with lead_ranks(
            board=board_of(workspace.bucket.out.url if workspace.bucket else workspace.out),
            store=workspace.store,
            root=root,
            size=place.size,
            inner=inner,
            takeover=takeover,
            tools=shaping_tools(),
            job=place.job,
        ) as ranks:
            yield ranks


def board_of(out: str | Path) -> Objects:
    """The folder through which the ranks of a build talk."""
    return Objects(url=str(out) if is_object_url(out) else Path(out).absolute().as_uri()).inside(_BOARD)


def shared_source(source: Source, engine: Engine) -> Source:
    """The source as workers can read it; `Engine.elsewhere` says whether these may be on other hosts.

    A folder or a clone lies on every host, and what was unpacked into a folder of versions is seen by all. With a store in a
    bucket, an unpacked archive is put there, once: a file that was unpacked lies on this host only.
    """
    if not engine.elsewhere:
        return source
    if source.kind != "unpacked" or engine.store.remote is None:
        return replace(source, shared=source.kind == "folder")
    key = f"source-{digest_unpacked(source)}"
    objects, name, file = engine.store.remote, f"{key}.unpacked", Path(source.root)
    if objects.size(name) != file.stat().st_size:
        objects.put(name, file)
    engine.use(key)
    return replace(source, remote=f"{objects.url}/{name}")
