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
    """The lease of a folder of versions; `leased` takes it and gives it back.

    Attributes:
        out: the folder.
        name: of the object.
        seconds: how long the lease lasts without being renewed.
        record: who holds it. `expires` is set whenever it is written.
        tag: of the object, as this process wrote it last.
        until: when it ends, in seconds of `_clock`.
        ended: set when it need not be renewed any more.
        turn: held while the object is written.
        lost: whether another process took it over.
    """

    out: Objects
    name: str
    seconds: float
    record: _Record
    tag: str = ""
    until: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)
    lost: bool = False

    def renew(self) -> None:
        """Ask the store whether the lease is still held, and renew it. Call it before steps that only one may do.

        Raises:
            MachineError: as for `check`, or the store cannot be reached.
        """
        self.lost = self.lost or not self._write_again()
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

    def _take(self) -> None:
        """Write the lease for the first time. Raises a `MachineError` if another process holds it."""
        start, data = _clock(), self._content()
        if not self.out.create(self.name, data) and (found := self.out.tagged(self.name, _LARGEST)):
            theirs = self._parse(found[0])
            if not _is_free(theirs):
                self._wait_for_end(theirs, found[1])
            start, data = _clock(), self._content()
            if not self.out.swap(self.name, data, found[1]):
                raise self._held_by(theirs)
        written = self.out.tagged(self.name, _LARGEST)
        if written is None or written[0] != data:
            raise self._held_by(self._parse(written[0]) if written else _Record())
        self.tag, self.until = written[1], start + self.seconds

    def _wait_for_end(self, theirs: _Record, tag: str) -> None:
        """Watch the lease of another process, after it has ended by our clock. Raises a `MachineError` if it goes on."""
        if time.time() <= theirs.expires:
            raise self._held_by(theirs)
        _LOG.warning(
            "%s: the lease of another %s ended at %s; it is watched for %.0f seconds, because clocks differ",
            self.out.url, theirs.work or "process", _end(theirs), self.seconds,
        )  # fmt: skip
        end = _clock() + self.seconds
        while _clock() < end:
            time.sleep(self.seconds / _LOOKS)
            found = self.out.tagged(self.name, _LARGEST)
            if found is None or found[1] != tag:
                raise self._held_by(theirs)

    def _renew_until_ended(self) -> None:
        while not self.ended.wait(self.seconds / 4):
            try:
                if not self._write_again():
                    self.lost = True
                    return
            except MachineError:  # the store may come back in time
                continue

    def _write_again(self) -> bool:
        """Write the lease with a later end; returns whether it was still ours."""
        with self.turn:
            start, data = _clock(), self._content()
            if not self.out.swap(self.name, data, self.tag):
                return False
            found = self.out.tagged(self.name, _LARGEST)
            if found is None or found[0] != data:
                return False
            self.tag, self.until = found[1], start + self.seconds
            return True

    def _give_back(self) -> None:
        """Mark the lease as free, if it is still ours."""
        with self.turn:
            self.until = 0.0
            self.out.swap(self.name, msgspec.json.encode(_Record()), self.tag)

    def _content(self) -> bytes:
        """The bytes of the object, if the lease is written now."""
        return msgspec.json.encode(replace(self.record, expires=time.time() + self.seconds))

    def _parse(self, data: bytes) -> _Record:
        try:
            return msgspec.json.decode(data, type=_Record)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise MachineError(
                "the lease of this folder cannot be read",
                path=f"{self.out.url}/{self.name}",
                hint="if nothing is at work here, remove this object",
            ) from None

    def _held_by(self, theirs: _Record) -> MachineError:
        hint = "wait for it to end, then run this again"
        if time.time() <= theirs.expires:  # else another process was faster, or its clock is behind ours
            hint += f"; if it was killed, run this again after {_end(theirs)}, and it goes on {self.seconds:.0f} seconds later"
        return MachineError(
            f"another {theirs.work or 'process'} is at work here "
            f"(process {theirs.process} on {theirs.host or 'a machine'})",
            path=self.out.url,
            hint=hint,
        )


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
    )
    lease = Lease(out=out, name=name, seconds=seconds, record=record)
    lease._take()
    renewal = threading.Thread(target=lease._renew_until_ended, name="lease", daemon=True)
    renewal.start()
    try:
        yield lease
    finally:
        lease.ended.set()
        renewal.join()
        if not lease.lost:
            with contextlib.suppress(MachineError):
                lease._give_back()


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
