"""Tasks and their results.

A `Task` is a function, the data that it needs, and the `inputs` that decide its result. Its key is a digest of stage
and inputs. What the function makes is an `Artifact`: a few files and a few facts under that key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from ..errors import MachineError
from ..files import open_regular
from ..objects import Objects, ObjectTooLargeError

__all__ = ["Artifact", "Bench", "StoredFile", "Task", "TaskFunction", "checksum", "key_of", "make_scratch"]

_DIGITS = 40  # hexadecimal digits of the digest in a key


def checksum(path: Path) -> str:
    """The XXH3 hash of a file's bytes: 128 bits, as 32 hexadecimal digits.

    It finds damage as well as SHA-256, in a tenth of the time. It does not protect against somebody who may write to
    the store.

    Raises:
        OSError: the file cannot be read, or is no regular file.
    """
    with open_regular(path, follow=True) as file:
        return hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of an artifact.

    Attributes:
        path: where it lies; with a remote, where its copy on this machine lies, once it was fetched.
        checksum: what the function `checksum` returned when the file was written.
        bytes: its size then.
        remote: the folder in a bucket where the object of the same name lies, or None.
        remade: whether a build can make the object anew, so that a damaged one is removed from the bucket.
    """

    path: Path
    checksum: str
    bytes: int
    remote: Objects | None = None
    remade: bool = False

    @classmethod
    def of(cls, path: Path) -> StoredFile:
        """The file at `path`, as it is now.

        Raises:
            OSError: the file cannot be read.
        """
        return cls(path=path, checksum=checksum(path), bytes=path.stat().st_size)

    def is_whole(self) -> bool:
        """Whether the file is as it was written. One of another size is not read: it may be endless."""
        try:
            return self.path.stat().st_size == self.bytes and checksum(self.path) == self.checksum
        except OSError:
            return False

    def checked(self) -> Path:
        """The path, after the file was compared with its checksum. A task opens every input through this method.

        With a remote, the file is fetched if this machine does not have it, or not whole.

        Raises:
            MachineError: the file is missing or changed.
        """
        if not self.is_whole() and not self._fetch():
            raise MachineError(
                "this cached file was changed or removed while the build was at work",
                path=f"{self.remote.url}/{self.path.name}" if self.remote else self.path,
                hint="run the same command again; it makes the file anew",
            )
        return self.path

    def _fetch(self) -> bool:
        """Fetch the object, a second time if something went wrong on the way. Returns whether the file is whole then."""
        if self.remote is None:
            return False
        make_scratch(self.path.parent)
        for _ in range(2):
            with suppress(ObjectTooLargeError):
                if self.remote.fetch(self.path.name, self.path, self.bytes) and self.is_whole():
                    return True
        if self.remade:
            self.remote.delete([self.path.name])
        return False


def make_scratch(folder: Path) -> None:
    """Make a folder for copies of objects, and the folders around it, which only this user may read.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        make_scratch(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """The result of a task.

    Attributes:
        key: of the task.
        facts: numbers and texts about the result, in types that JSON has.
        files: the files, by name.
    """

    key: str
    facts: Mapping[str, Any]
    files: Mapping[str, StoredFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where a task's function writes its outputs, and what it may copy from.

    Attributes:
        folder, prefix: the beginning of the outputs' paths; nobody else uses this prefix.
        seed: an earlier artifact at the same place, or None. It may save work and never changes the result.
        names: the names of the outputs so far.
    """

    folder: Path
    prefix: str
    seed: Artifact | None = None
    names: list[str] = field(default_factory=list)

    def file(self, name: str) -> Path:
        """The path to write the output `name` to."""
        if name not in self.names:
            self.names.append(name)
        return self.folder / f"{self.prefix}.{name}"


TaskFunction = Callable[[Any, Bench], Mapping[str, Any]]
"""Called with the task's data and a `Bench`: writes the files of the artifact and returns its facts.
It must be a function on the top level of a module, so that it can be sent to a worker process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One unit of work.

    Attributes:
        stage: the kind of work and the version of its code: "parse/1".
        inputs: everything that decides the result, in order: digests, keys of other artifacts, settings.
        function: does the work.
        data: returns the first argument of `function`, all of which follows from `inputs`. It is called only when the task
            has to run.
        place: a name for the result that stays the same from build to build ("parse posts/posts-2022-01-0000000.parquet"): the
            artifact that the last build used at this place is the seed. "" for a task without a seed.
        rows: how many rows it works on, for the progress bar.
        temporary: whether only this build needs the result, so that it is swept when the build ends.

    >>> task = Task(stage="parse/1", inputs=("a", "b"), function=print, data=lambda: None)
    >>> task.key == Task(stage="parse/1", inputs=("a", "b"), function=print, data=lambda: None, rows=9).key
    True
    >>> task.key == Task(stage="parse/1", inputs=("ab",), function=print, data=lambda: None).key
    False
    """

    stage: str
    inputs: tuple[str, ...]
    function: TaskFunction
    data: Callable[[], object]
    place: str = ""
    rows: int = 0
    temporary: bool = False

    @property
    def key(self) -> str:
        """The name of the result in the store; see `key_of`."""
        return key_of(self.stage, self.inputs)


def key_of(stage: str, inputs: Iterable[str]) -> str:
    """The name in the store of what a stage makes from its inputs: "parse1-10e09bbf…", 40 hexadecimal digits after the dash.

    Args:
        stage, inputs: as in `Task`.

    >>> key_of("parse/1", ["a", "b"]).partition("-")[0]
    'parse1'
    """
    digest = hashlib.sha256(stage.encode())
    for text in inputs:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded))  # the length keeps ("a", "b") and ("ab",) apart
        digest.update(encoded)
    return f"{stage.replace('/', '')}-{digest.hexdigest()[:_DIGITS]}"
