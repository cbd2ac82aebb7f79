"""What a stage wants done, and what came of it.

A `Task` is a function, the data that it needs, and the `inputs` that decide its result. Its key is a digest of stage
and inputs. What the function makes is an `Artifact`: a few files and a few facts under that key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from ..errors import MachineError

__all__ = ["Artifact", "Bench", "StoredFile", "Task", "TaskFunction", "checksum"]

_DIGITS = 40


def checksum(path: Path) -> str:
    """The XXH3 of a file's bytes: 128 bits in hexadecimal digits.

    It finds damage as well as SHA-256 does in a tenth of the time. It is no defence against somebody who may write to the store.
    """
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of an artifact.

    Attributes:
        path: where it lies.
        checksum: what `checksum` said when it was written.
    """

    path: Path
    checksum: str

    def checked(self) -> Path:
        """The path, after its bytes were compared with the checksum. A task opens every input through this.

        Raises:
            MachineError: the file is missing, or its bytes are not those that were written.
        """
        try:
            good = checksum(self.path) == self.checksum
        except OSError:
            good = False
        if not good:
            raise MachineError(
                "this cached file was changed or removed while the build was at work",
                path=self.path,
                hint="run the same command again; it makes the file anew",
            )
        return self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """The result of a task.

    Attributes:
        key: of the task.
        facts: numbers and texts about the result, as JSON can hold them.
        files: the files, by name.
    """

    key: str
    facts: Mapping[str, Any]
    files: Mapping[str, StoredFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a task's function works with beside its data.

    Attributes:
        folder, prefix: where `file` puts the outputs; nobody else writes there.
        seed: an earlier artifact at the same place, or None. It may save work and never changes the result.
        names: the outputs so far.
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
"""Makes the files of an artifact on a `Bench` and returns its facts. A function of a module, so that it can be sent to a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One unit of work.

    Attributes:
        stage: the kind of work and the version of its code, "parse/3".
        inputs: everything that decides the result, in order: digests, keys of other artifacts, settings.
        function: does the work.
        data: gives the first argument of `function`; it is called only when the task has to run. All of it follows from `inputs`.
        place: names what the result is of ("posts/posts-2022-01-00000.parquet"), the same from build to build: the artifact that an
            earlier build made at this place is the seed. "" for no seed.
        rows: how many rows it works on, for the progress bar.
        temporary: whether the result is of use to this build only, and need not stay in the store when it ends.

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
        """The name of the result in the store, "parse1-10e09bbf…"."""
        digest = hashlib.sha256(self.stage.encode())
        for text in self.inputs:
            digest.update(
                b"%d:" % len(encoded := text.encode("utf-8", "surrogatepass"))
            )  # lengths: ("a", "b") is not ("ab",)
            digest.update(encoded)
        return f"{self.stage.replace('/', '')}-{digest.hexdigest()[:_DIGITS]}"
