"""The board: what the ranks of a build tell each other, as a few small objects in a folder that all of them see.

`board.json` is written by rank 0 alone: which build is at work, and which plans are to be done. `rank-R.json` is written by
rank R: that it is alive, and what it could not do. A writer shows that it is alive by another count in each second or so.
Nobody compares clocks: a reader measures, by its own clock, for how long an object stayed as it is.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from ...errors import MachineError
from ...objects import Objects, folder_of_url

__all__ = [
    "BOARD",
    "LONGEST_PAUSE",
    "Notice",
    "Pause",
    "PlanNotice",
    "RankNotice",
    "Watched",
    "beating",
    "new_name",
    "place_of",
    "rank_name",
    "read_notice",
    "write_notice",
]

_LOG = logging.getLogger("newsdata")

_Kind = TypeVar("_Kind", "Notice", "RankNotice")

BOARD = "board.json"
"""The name of rank 0's object."""
LONGEST_PAUSE = 1.0
"""The most seconds between two looks at what other ranks say or have done."""
_SHORTEST_PAUSE = 0.02
_LARGEST = 1 << 24  # bytes of an object
_BEATS = 8  # counts within the time after which a writer counts as gone
_LONGEST_BEAT = 5.0  # seconds


class PlanNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that is to be done: its key in the store, and the number of tasks of its stage in the plans before it."""

    key: str
    first: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What rank 0 says.

    Attributes:
        build: a name that no other build has.
        job: the name of the job on the cluster, or "".
        size: the number of ranks.
        tools: what shapes bytes: name -> version. Other ranks have the same.
        store: where results go, packed; see `plan.pack`.
        plans: what is to be done now.
        ended: whether the build has ended, with or without a version.
        count: how often this was written.
    """

    build: str
    job: str = ""
    size: int
    tools: Mapping[str, str]
    store: bytes
    plans: Sequence[PlanNotice] = ()
    ended: bool = False
    count: int = 0


class RankNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What another rank says: who writes, the build that it works for, and the keys of tasks that it could not do."""

    owner: str = ""
    build: str = ""
    failed: Sequence[str] = ()
    count: int = 0


def write_notice(board: Objects, name: str, notice: Notice | RankNotice) -> None:
    """Write an object of the board; it becomes visible as a whole.

    Raises:
        MachineError: it cannot be written.
    """
    board.put(name, msgspec.json.encode(notice))


def read_notice(board: Objects, name: str, kind: type[_Kind]) -> _Kind | None:
    """An object of the board; None if it is not there, or is none of this kind.

    Raises:
        MachineError: the board cannot be read.
    """
    try:
        data = board.read(name, _LARGEST)
        return None if data is None else msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


@dataclass(slots=True)
class Watched(Generic[_Kind]):
    """An object of the board that is looked at now and then.

    Attributes:
        board, name: which one.
        kind: what it holds.
        seen: what it held last; None if it was never there.
        changed: when it was seen to change last, by this process's clock; at first when the watch began.
    """

    board: Objects
    name: str
    kind: type[_Kind]
    seen: _Kind | None = None
    changed: float = field(default_factory=time.monotonic)

    def look(self) -> _Kind | None:
        """Read it again. What cannot be read for a moment counts as unchanged."""
        try:
            found = read_notice(self.board, self.name, self.kind)
        except MachineError as error:
            _LOG.info("%s", error)
            return self.seen
        if found is not None and found != self.seen:
            self.seen, self.changed = found, time.monotonic()
        return self.seen

    @property
    def silent(self) -> float:
        """For how many seconds it has not changed."""
        return time.monotonic() - self.changed


@dataclass(slots=True)
class Pause:
    """The pause between two looks at what other ranks say or have done: short after news, then longer and longer.

    Attributes:
        seconds: how long the next one is.
    """

    seconds: float = _SHORTEST_PAUSE

    def wait(self) -> None:
        """Sleep. The next pause is longer."""
        time.sleep(self.seconds)
        self.seconds = min(1.5 * self.seconds, LONGEST_PAUSE)

    def shorten(self) -> None:
        """Note that there were news: the next pause is the shortest."""
        self.seconds = _SHORTEST_PAUSE


@contextmanager
def beating(write: Callable[[], None], takeover: float) -> Iterator[None]:
    """A context in which `write` is called so often that its object never stays the same for `takeover` seconds."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(min(takeover / _BEATS, _LONGEST_BEAT)):
            with suppress(MachineError):  # the next one may work
                write()

    thread = threading.Thread(target=beat, daemon=True, name="board")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def new_name() -> str:
    """A name that nobody else has."""
    return secrets.token_hex(8)


def place_of(board: Objects) -> str:
    """Where a board is, for a message: a path, or an address in a bucket."""
    return str(folder_of_url(board.url) or board.url)


def rank_name(rank: int) -> str:
    """The name of another rank's object."""
    return f"rank-{rank}.json"
