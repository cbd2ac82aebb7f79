"""A lease: what a lock is in an object store. One process works in a folder of versions; when it dies, the lease ends.

The lease is the object `.newsdata/lease.json` in the folder. It is made by `create`, so one of many gets it; it is renewed by
`swap` while its holder lives, and taken over by `swap` after it has ended. It stays there at the end, marked as free: no
store removes an object under a condition.

Clocks of machines differ. So a lease that has ended by our clock is taken over only after we have seen nobody renew it for
as long as it lasts; and a holder measures its own time by a clock that no one sets, and that goes on while the machine sleeps.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from ..errors import MachineError
from ..objects import Objects

__all__ = ["LEASE_NAME", "WORK", "Lease", "leased"]

_LOG = logging.getLogger("newsdata")

WORK = ".newsdata"
"""The name of the work folder in a folder of versions."""
LEASE_NAME = f"{WORK}/lease.json"

_SECONDS = 60.0  # that a lease lasts without being renewed
_LOOKS = 12  # at a lease that has ended, before it is taken over
_LARGEST = 1 << 14  # bytes of the object
_Text = Annotated[str, msgspec.Meta(max_length=300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """The content of the object.

    Attributes:
        owner: random; empty if the lease is free.
        work: what is done: "build".
        host, process, life: the machine, the process id, and what tells apart its starts and its spaces of process ids.
        expires: seconds since 1970.
    """

    owner: _Text = ""
    work: _Text = ""
    host: _Text = ""
    process: int = 0
    life: _Text = ""
    expires: float = 0.0


@dataclass(slots=True, kw_only=True)
class Lease:
    """A lease that is held; see `leased`."""

    out: Objects
    seconds: float
    record: _Record
    name: str
    tag: str = ""
    until: float = 0.0  # of `_clock`
    ended: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)
    lost: bool = False

    def renew(self) -> None:
        """Ask the store whether the lease is still held, and renew it. Call it before steps that only one may do.

        Raises:
            MachineError: as for `check`, or the store cannot be reached.
        """
        self.lost = self.lost or not self._swap(self.seconds)
        self.check()

    def check(self) -> None:
        """Make sure that the lease is still held, as far as this process knows. The store is not asked.

        Raises:
            MachineError: somebody took it over, or it could not be renewed in time.
        """
        if self.lost or _clock() > self.until:
            raise MachineError(
                "the lease of this folder was lost: it could not be renewed in time, or another process took it over",
                path=f"{self.out.url}/{self.name}",
                hint="versions that are there are untouched; run the same command again",
            )

    def _renew_until_ended(self) -> None:
        while not self.ended.wait(self.seconds / 4):
            try:
                if not self._swap(self.seconds):
                    self.lost = True
                    return
            except MachineError:  # the store may come back in time
                continue

    def _swap(self, seconds: float) -> bool:
        """Write the lease anew; returns whether it was still ours. Without seconds it is given back."""
        with self.turn:
            start = _clock()
            record = replace(self.record, expires=time.time() + seconds) if seconds else _Record()
            data = msgspec.json.encode(record)
            if not self.out.swap(self.name, data, self.tag):
                return False
            found = self.out.tagged(self.name, _LARGEST) if seconds else (data, "")
            if found is None or found[0] != data:
                return False
            self.tag, self.until = found[1], start + seconds
            return True


@contextlib.contextmanager
def leased(out: Objects, work: str = "build", seconds: float = _SECONDS, name: str = LEASE_NAME) -> Iterator[Lease]:
    """A context that holds the lease of a folder of versions. It is renewed by a thread of its own.

    Args:
        out: the folder.
        work: what is done, for the message to others.
        seconds: how long the lease lasts if this process dies. Another process of the same machine sees that at once.
        name: of the object.

    Raises:
        MachineError: another process holds it, or the store cannot be reached.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Objects(url=Path(folder).as_uri())
    ...     with leased(out) as lease:
    ...         lease.check()
    ...         with leased(out):
    ...             pass
    Traceback (most recent call last):
    newsdata.errors.MachineError: file:///...: another build is at work here (process ...
    """
    record = _Record(
        owner=secrets.token_hex(16),
        work=work,
        host=socket.gethostname()[:200],
        process=os.getpid(),
        life=_life(),
        expires=time.time() + seconds,
    )
    lease = Lease(out=out, seconds=seconds, record=record, name=name)
    lease.tag, lease.until = _take(out, record, seconds, name)
    renewal = threading.Thread(target=lease._renew_until_ended, name="lease", daemon=True)
    renewal.start()
    try:
        yield lease
    finally:
        lease.ended.set()
        renewal.join()
        if not lease.lost:
            with contextlib.suppress(MachineError):
                lease._swap(0)


def _take(out: Objects, record: _Record, seconds: float, name: str) -> tuple[str, float]:
    """Write the lease; returns its tag, and until when it lasts by `_clock`."""
    data, start = msgspec.json.encode(record), _clock()
    if not out.create(name, data):
        found = out.tagged(name, _LARGEST)
        if found is not None:
            theirs = _read(out, found[0], name)
            if not _is_free(theirs):
                if time.time() <= theirs.expires:
                    raise _held(out, theirs, seconds)
                _LOG.warning(
                    "%s: the lease of another %s ended at %s; it is watched for %.0f seconds, because clocks differ",
                    out.url, theirs.work or "process", _end(theirs), seconds,
                )  # fmt: skip
                if not _stays(out, found[1], seconds, name):
                    raise _held(out, theirs, seconds)
                record = replace(record, expires=time.time() + seconds)
                data, start = msgspec.json.encode(record), _clock()
            if not out.swap(name, data, found[1]):
                raise _held(out, theirs, seconds)
    written = out.tagged(name, _LARGEST)
    if written is None or written[0] != data:
        raise _held(out, _read(out, written[0] if written else b"{}", name), seconds)
    return written[1], start + seconds


def _stays(out: Objects, tag: str, seconds: float, name: str) -> bool:
    """Whether nobody renews or gives back a lease for so long."""
    end = _clock() + seconds
    while _clock() < end:
        time.sleep(seconds / _LOOKS)
        found = out.tagged(name, _LARGEST)
        if found is None or found[1] != tag:
            return False
    return True


def _read(out: Objects, data: bytes, name: str) -> _Record:
    try:
        return msgspec.json.decode(data, type=_Record)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise MachineError(
            "the lease of this folder cannot be read",
            path=f"{out.url}/{name}",
            hint="if nothing is at work here, remove this object",
        ) from None


def _is_free(record: _Record) -> bool:
    """Whether a lease was given back, or is of a process of this machine that is gone."""
    if not record.owner:
        return True
    if not record.life or (record.host, record.life) != (socket.gethostname()[:200], _life()) or record.process < 1:
        return False
    try:
        os.kill(record.process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _held(out: Objects, record: _Record, seconds: float) -> MachineError:
    ended = time.time() > record.expires  # another process was faster, or its clock is behind ours
    killed = (
        ""
        if ended
        else f"; if it was killed, run this again after {_end(record)}, and it goes on {seconds:.0f} seconds later"
    )
    return MachineError(
        f"another {record.work or 'process'} is at work here (process {record.process} on {record.host or 'a machine'})",
        path=out.url,
        hint=f"wait for it to end, then run this again{killed}",
    )


def _end(record: _Record) -> str:
    """When a lease ends, in whole seconds; for a message."""
    with contextlib.suppress(OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(math.ceil(record.expires), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return "a time that is no time"


def _clock() -> float:
    """Seconds that passed, those included in which the machine slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _life() -> str:
    """What processes of one start of this machine, in one space of process ids, have in common; "" if that is unknown."""
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{start} {Path('/proc/self/ns/pid').readlink()}"[:200]
    except (OSError, ValueError):
        return ""
