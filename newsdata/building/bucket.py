"""A folder of versions in a bucket: how a build works there.

A lease stands for the lock. The store lies in `OUT/.newsdata/cache` of the bucket, its copies and everything unfinished in a
scratch folder on this machine. Shards go from the cache to the version inside the bucket. `manifest.json` is written last: a
version that has none is not there for any reader. What was written before it is named in `OUT/.newsdata/staged.json`, so
the next build can remove it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..card.versions_readme import README_NAME, update_versions_readme
from ..errors import MachineError
from ..graph.lease import WORK, Lease
from ..objects import Objects
from ..storage.manifest import MANIFEST_NAME, is_version
from .mirror import AT_ONCE
from .pieces import Piece

__all__ = ["Bucket", "mark_staged", "remove_staged"]

_STAGED = f"{WORK}/staged.json"
_LARGEST_STAGED = 1 << 27  # bytes of the object


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A folder of versions in a bucket, while this process holds its lease.

    Attributes:
        out: the folder.
        mirror: its small files; see `mirror`.
        lease: of the folder.
    """

    out: Objects
    mirror: Path
    lease: Lease

    def publish(self, staged: Path, pieces: Sequence[Piece], version: str) -> None:
        """Write a version into the bucket: shards, then all other files, then the manifest, which makes it visible.

        Args:
            staged: a local folder with all files of the version but the shards; it becomes the version's mirror.
            pieces: the shards.
            version: "X.Y.Z".

        Raises:
            MachineError: the version is there already, the lease is lost, or the store fails.
        """
        self.lease.check()
        target = self.out.inside(version)
        if target.size(MANIFEST_NAME) is not None:
            raise _already_there(target)
        others = sorted(path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file())
        others = [name for name in others if not name.endswith(".parquet") and name != MANIFEST_NAME]
        mark_staged(self.out, version, [*(piece.path for piece in pieces), *others])
        steps = [_copying(piece, target) for piece in pieces]
        steps += [_putting(staged / name, name, target) for name in others]
        try:
            self._run(steps)
            self.lease.check()
            if not target.create(MANIFEST_NAME, staged / MANIFEST_NAME):
                raise _already_there(target)
        except BaseException:
            with suppress(MachineError):
                self.lease.check()
                remove_staged(self.out)
            raise
        with suppress(MachineError):  # the version is complete; the next build removes the mark
            self.out.delete([_STAGED])
        staged.rename(self.mirror / version)

    def update_readme(self, scratch: Path) -> str | None:
        """Like `update_versions_readme`, for the README.md in the bucket."""
        path = self.mirror / README_NAME
        before = path.read_bytes() if path.is_file() else None
        note = update_versions_readme(self.mirror, scratch=scratch)
        if path.is_file() and path.read_bytes() != before:
            self.lease.check()
            self.out.put(README_NAME, path)
        return note and note.replace(str(self.mirror), self.out.url)

    def _run(self, steps: Sequence[Callable[[], None]]) -> None:
        """Run steps, many at a time; none begins after the lease was lost."""

        def run(step: Callable[[], None]) -> None:
            self.lease.check()
            step()

        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            list(pool.map(run, steps))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _copying(piece: Piece, target: Objects) -> Callable[[], None]:
    file = piece.file
    if file.remote is None:
        return lambda: target.put(piece.path, file.checked())
    remote = file.remote
    return lambda: remote.copy(file.path.name, piece.path, target)


def _putting(file: Path, name: str, target: Objects) -> Callable[[], None]:
    return lambda: target.put(name, file)


def _already_there(target: Objects) -> MachineError:
    return MachineError(
        "this version is there already, but the store did not list it",
        path=target.url,
        hint="wait some seconds, then run the same command again",
    )


# ------------------------------------------------------------------------------------------------------- staged


class _Staged(msgspec.Struct, frozen=True, kw_only=True):
    """The objects of a version that is not complete."""

    version: str
    files: list[str]


def mark_staged(out: Objects, version: str, files: Iterable[str]) -> None:
    """Note which objects of a version are about to be written or removed, while its manifest is not there.

    Args:
        out: the folder of versions.
        version: "X.Y.Z".
        files: paths in the version's folder.
    """
    out.put(_STAGED, msgspec.json.encode(_Staged(version=version, files=[*files])))


def remove_staged(out: Objects) -> None:
    """Remove what a killed process left of a version that has no manifest. Nothing else is removed, whoever wrote it."""
    data = out.read(_STAGED, _LARGEST_STAGED)
    if data is None:
        return
    with suppress(msgspec.MsgspecError, RecursionError):  # a damaged note is removed, too
        staged = msgspec.json.decode(data, type=_Staged)
        if is_version(staged.version) and out.size(f"{staged.version}/{MANIFEST_NAME}") is None:
            out.inside(staged.version).delete(staged.files)
    out.delete([_STAGED])
