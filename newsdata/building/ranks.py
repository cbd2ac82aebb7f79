"""A rank other than 0 of a build on many machines: it does tasks, and makes no version."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import CallError
from ..files import expand_home
from ..graph.executors.local import local_executor
from ..graph.executors.rank import Rank, serve_rank
from ..graph.process import available_cores, check_memory
from ..objects import is_object_url
from ..sources.source import Source, open_in_place
from .engines import TAKEOVER, Place, board_of
from .scratch import scratch_folder
from .stages.functions import FUNCTIONS
from .tools import shaping_tools
from .workspace import WORK, machine_errors

__all__ = ["work_as_rank"]


def work_as_rank(
    source: str | Path,
    out: str | Path,
    place: Place,
    *,
    num_proc: int | None = None,
    takeover: float = TAKEOVER,
) -> int:
    """Do the tasks of a rank, until rank 0 says that the build has ended.

    Args:
        source: the archive, as this host calls it: the same folder, or another clone of the same repository.
        out: the folder of versions, as this host calls it: the same folder as that of rank 0. Or its address in a bucket.
        place: of this process; its rank is not 0.
        num_proc: workers on this host; by default as many as there are cores.
        takeover: as for `newsdata.build`.

    Returns:
        The number of tasks that it did.

    Raises:
        SourceError: there is no such source on this host.
        MachineError: rank 0 gave no sign for ten times `takeover`, or this host has other versions of what shapes bytes.
    """
    if place.rank == 0:
        raise CallError("is the build itself, so it is no other rank", field="rank")
    check_memory()
    out = expand_home(out)
    remote = is_object_url(out)
    own = open_in_place(source, exclude=out)
    with (
        scratch_folder() if remote else nullcontext(Path(out)) as root,
        machine_errors(root),
        local_executor(num_proc or available_cores()) as inner,
    ):
        return serve_rank(
            Rank(
                board=board_of(out),
                rank=place.rank,
                size=place.size,
                job=place.job,
                root=root,
                functions=FUNCTIONS,
                prepare=_reading_here(own, root),
                inner=inner,
                tools=shaping_tools(),
                takeover=takeover,
            )
        )


def _reading_here(own: Source | None, out: Path) -> Callable[[Any], Any]:
    """A function that changes a task's data so that it reads the source of this host.

    Args:
        own: the source, opened on this host; None for an archive, which rank 0 unpacks into the folder of versions.
        out: that folder.
    """

    def here(source: Source) -> Source:
        if source.kind == "unpacked":
            return replace(source, root=str(out / WORK / "staging" / Path(source.root).name))
        return replace(source, root=own.root) if own else source

    def prepare(data: Any) -> Any:
        source = getattr(data, "source", None)
        return replace(data, source=here(source)) if isinstance(source, Source) else data

    return prepare
