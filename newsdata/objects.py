"""Objects: named bytes in a folder of an object store (S3, Google Cloud Storage), or in a folder on a disk.

An object becomes visible whole or not at all. `create` and `swap` are what locks are made of: of many that create one name,
or swap one content, exactly one succeeds. Everything that a store answers is checked: names, sizes, order.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import objects_folder
from .errors import MachineError
from .files import open_fresh
from .objects_client import explained, may_pass, open_client, unless_missing
from .objects_names import checked_name, clean_url, folder_of_url, is_object_url

if TYPE_CHECKING:
    from obstore import GetResult, PutMode
    from obstore.store import ObjectStore

__all__ = ["ObjectTooLargeError", "Objects", "check_conditions", "folder_of_url", "is_object_url"]

_T = TypeVar("_T")

_MOST_NAMES = 100_000_000
_LARGEST_SWAPPED = 1 << 24
_TRIES = 4  # of what the library does not repeat: a conditional put whose answer was lost
_PATIENCE = 45.0  # seconds after which it is not tried again


class ObjectTooLargeError(MachineError):
    """An object is larger than the caller allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """A folder in an object store, or a folder on a disk.

    It holds no connection and no credentials, so it can be pickled; each process opens its own. The credentials are those
    of the environment (`AWS_ACCESS_KEY_ID`, `GOOGLE_APPLICATION_CREDENTIALS`, …), of `~/.aws/credentials`, or of the
    machine. `AWS_ENDPOINT_URL` names another server that speaks S3. What fails for a moment is tried again.

    Names have the form "a/b.txt". No part of them is empty, "." or "..", and they hold no control characters.

    Attributes:
        url: s3://bucket/prefix, gs://bucket/prefix or file:///folder.

    Raises:
        CallError: the address is none of these, or holds credentials.
        MachineError: by each method: the store refuses or cannot be reached, or breaks the rules for names.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     objects = Objects(url=Path(folder).as_uri())
    ...     objects.create("a/b.txt", b"one"), objects.create("a/b.txt", b"two"), list(objects.names())
    (True, False, [('a/b.txt', 3)])
    """

    url: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", clean_url(self.url))

    def inside(self, folder: str) -> Objects:
        """A folder below this one."""
        folder = checked_name(folder, self.url)
        return replace(self, url=f"{self.url.rstrip('/')}/{urllib.parse.quote(folder) if self._folder() else folder}")

    def put(self, name: str, data: bytes | Path) -> None:
        """Write an object; it becomes visible as a whole, and replaces one that is there.

        Args:
            name: of the object.
            data: its bytes, or a file that holds them.
        """
        with self._failing(name):
            if path := self._file(name):
                objects_folder.put_file(path, data)
            else:
                self._client().put(self._key(name), data)

    def create(self, name: str, data: bytes | Path) -> bool:
        """Write an object only if there is none of this name.

        Returns:
            False if somebody else's object is there. True if it was written; also if an object with just these bytes is
            there, because the answer to an earlier attempt may have been lost.
        """
        with self._failing(name):
            if path := self._file(name):
                return objects_folder.create_file(path, data) or self._holds(name, data)
            return self._put_if("create", name, data)

    def read(self, name: str, limit: int) -> bytes | None:
        """The bytes of an object of at most `limit` bytes; None if there is no such object."""
        found = self.tagged(name, limit)
        return None if found is None else found[0]

    def fetch(self, name: str, path: Path, limit: int | None = None) -> bool:
        """Copy an object to a local file, which appears as a whole.

        Args:
            name: of the object.
            path: of the file; one that is there is replaced.
            limit: the largest number of bytes that is written; None for any.

        Returns:
            False if there is no such object.
        """
        part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        with self._failing(name):
            try:
                if not self._fetch(name, part, limit):
                    return False
                part.replace(path)
                return True
            finally:
                with contextlib.suppress(OSError):
                    part.unlink()

    def size(self, name: str) -> int | None:
        """The size of an object in bytes; None if there is no such object."""
        with self._failing(name):
            if path := self._file(name):
                return objects_folder.size_of_file(path)
            found = unless_missing(lambda: self._client().head(self._key(name)))
            return None if found is None else int(found["size"])

    def sha256(self, name: str) -> str | None:
        """The SHA-256 of the bytes of an object, in hexadecimal digits; None if there is no such object."""
        with self._failing(name):
            if path := self._file(name):
                return objects_folder.hash_file(path)
            found = self._get(name)
            if found is None:
                return None
            digest = hashlib.sha256()
            for chunk in found.stream(min_chunk_size=1 << 20):
                digest.update(chunk)
            return digest.hexdigest()

    def tagged(self, name: str, limit: int) -> tuple[bytes, str] | None:
        """The bytes of an object of at most `limit` bytes, and its tag for `swap`; None if there is no such object."""
        with self._failing(name):
            if path := self._file(name):
                data = objects_folder.read_file(path, limit)
                return None if data is None else (data, objects_folder.tag_of(data))
            found = self._get(name, limit)
            if found is None:
                return None
            tag = found.meta["version"] if self._is_google() else found.meta["e_tag"]
            return bytes(found.bytes()), tag or ""

    def swap(self, name: str, data: bytes, tag: str) -> bool:
        """Replace an object, if it still has this tag.

        Args:
            name: of the object.
            data: its new bytes.
            tag: from `tagged`.

        Returns:
            False if somebody else was faster, or removed the object.
        """
        with self._failing(name):
            if path := self._file(name):
                return objects_folder.swap_file(path, data, tag, _LARGEST_SWAPPED)
            condition: PutMode = {"version": tag} if self._is_google() else {"e_tag": tag}
            return self._put_if(condition, name, data, tag)

    def names(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """The names and sizes in bytes of all objects, in the order of the names, with those of the folders below.

        Some stores list an object only seconds after it was written. Read an object to know whether it is there.

        Args:
            prefix: list only this folder. The names still begin at this object's own folder.
        """
        return ((name, size) for name, size, _ in self.stamped(prefix))

    def stamped(self, prefix: str = "") -> Iterator[tuple[str, int, str]]:
        """Like `names`, with the stamp of each object: another one for other bytes; "" if the store tells none."""
        with self._failing(prefix or "."):
            below = f"{prefix}/" if checked_name(prefix, self.url, may_be_empty=True) else ""
            folder = self._folder()
            here = ((name, size, "") for name, size in objects_folder.files_below(folder / prefix)) if folder else None
            last, marker = "", None
            for number, (name, size, stamp) in enumerate(here or self._listed(prefix)):
                if marker and not name.startswith(f"{marker[0]}/"):  # else it marks a folder, as consoles make them
                    yield below + marker[0], 0, marker[1]
                marker = None
                if not name or (name <= last and not size):
                    continue
                if name <= last or number >= _MOST_NAMES:
                    raise self._broken("lists names twice, without end or in no order")
                last = checked_name(name, self.url)
                if size or folder:
                    yield below + name, size, stamp
                else:
                    marker = name, stamp
            if marker:
                yield below + marker[0], 0, marker[1]

    def read_stamped(self, name: str, limit: int) -> tuple[bytes, str] | None:
        """The bytes of an object of at most `limit` bytes, and its stamp as in `stamped`; None if there is no such object."""
        with self._failing(name):
            if self._folder():
                data = self.read(name, limit)
                return None if data is None else (data, "")
            found = self._get(name, limit)
            return None if found is None else (bytes(found.bytes()), found.meta["e_tag"] or "")

    def read_ranges(self, name: str, starts: Sequence[int], sizes: Sequence[int]) -> list[bytes] | None:
        """Parts of an object, in few requests where they lie close together; None if there is no such object.

        Args:
            name: of the object.
            starts, sizes: of the parts, in bytes. A part that the object does not have is an error, or shorter.
        """
        with self._failing(name):
            if path := self._file(name):
                return objects_folder.read_parts(path, starts, sizes)
            key = self._key(name)
            found = unless_missing(lambda: self._client().get_ranges(key, starts=[*starts], lengths=[*sizes]))
            return None if found is None else [bytes(part) for part in found]

    def folders(self) -> list[str]:
        """The names of the folders directly below this one, sorted. Those without objects do not exist in an object store."""
        with self._failing("."):
            if folder := self._folder():
                return objects_folder.folders_in(folder)
            key = self._prefix()
            found = self._client().list_with_delimiter(key or None)["common_prefixes"]
            names = sorted({path[len(key) :].strip("/") for path in found} - {""})
            return [checked_name(name, self.url) for name in names]

    def copy(self, name: str, target: str, to: Objects | None = None) -> None:
        """Copy an object, inside the store if both lie in one bucket.

        Args:
            name: of the object.
            target: the name of the copy; an object that is there is replaced.
            to: the folder of the copy; None for this one.

        Raises:
            MachineError: there is no such object.
        """
        to = to or self
        with self._failing(name):
            if path := to._file(target):
                path.parent.mkdir(parents=True, exist_ok=True)
                if not self.fetch(name, path):
                    raise FileNotFoundError(errno.ENOENT, "there is no such object", f"{self.url}/{name}")
            elif self._bucket() != to._bucket():
                with tempfile.TemporaryDirectory() as scratch:
                    self.copy(name, "object", Objects(url=Path(scratch).as_uri()))
                    to.put(target, Path(scratch) / "object")
            else:
                self._client().copy(self._key(name), to._key(target))

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects. Those that are not there are left out."""
        listed = list(names)
        if folder := self._folder():
            for name in listed:
                with self._failing(name):
                    objects_folder.remove_file(folder / checked_name(name, self.url))
            return
        size = 1000 if self.url.startswith("s3:") else 1  # other stores know no request that removes many
        for start in range(0, len(listed), size):
            some = listed[start : start + size]
            with self._failing(some[0]):
                self._delete([self._key(name) for name in some])

    def __str__(self) -> str:
        return self.url

    # ------------------------------------------------------------------------------------------------ conditions

    def _put_if(self, condition: PutMode, name: str, data: bytes | Path, tag: str = "") -> bool:
        """Write an object under a condition; returns whether that was met. With a tag, the object must have it.

        A lost answer and a passing conflict are settled by looking at the object.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        def put() -> object:
            return self._client().put(self._key(name), data, mode=condition, use_multipart=False)

        def attempt() -> bool:
            try:
                if unless_missing(put) is None:
                    return False  # a swap, and the object was removed
            except (AlreadyExistsError, PreconditionError):
                if self._holds(name, data):
                    return True
                there = self.tagged(name, _LARGEST_SWAPPED) if tag else None
                if (there and there[1] == tag) or (not tag and self.size(name) is None):
                    raise  # somebody's put was under way, and came to nothing
                return False
            return True

        return self._repeated(attempt)

    def _holds(self, name: str, data: bytes | Path) -> bool:
        """Whether an object has just these bytes."""
        wanted = data.stat().st_size if isinstance(data, Path) else len(data)
        if self.size(name) != wanted:
            return False
        return self.read(name, wanted) == (data.read_bytes() if isinstance(data, Path) else data)

    def _repeated(self, attempt: Callable[[], _T]) -> _T:
        """What an attempt gives. It is repeated if the store fails, but not for ever."""
        end = time.monotonic() + _PATIENCE
        for number in range(_TRIES - 1):
            try:
                return attempt()
            except Exception as error:
                if not may_pass(error) or time.monotonic() > end:
                    raise
                time.sleep(0.1 * 4**number)
        return attempt()

    def _delete(self, keys: list[str]) -> None:
        self._repeated(lambda: unless_missing(lambda: self._client().delete(keys)))

    def _is_google(self) -> bool:
        """Whether versions of an object are told apart by its generation, not by its ETag."""
        return self.url.startswith("gs:")

    # --------------------------------------------------------------------------------------------------- places

    def _folder(self) -> Path | None:
        return folder_of_url(self.url)

    def _file(self, name: str) -> Path | None:
        """The file of an object in a folder on a disk; None in an object store."""
        folder = self._folder()
        return folder and folder / checked_name(name, self.url)

    def _bucket(self) -> str:
        return "/".join(self.url.split("/")[:3])

    def _prefix(self) -> str:
        return "/".join(self.url.split("/")[3:])

    def _key(self, name: str) -> str:
        return "/".join([*self.url.split("/")[3:], checked_name(name, self.url)])

    def _client(self) -> ObjectStore:
        return open_client(self._bucket())

    def _get(self, name: str, limit: int | None = None) -> GetResult | None:
        """The store's answer to a request for an object, whose bytes are still to be read; None if there is no such object."""
        found = unless_missing(lambda: self._client().get(self._key(name)))
        if found is not None and limit is not None and found.meta["size"] > limit:
            raise self._too_large(name, limit)
        return found

    def _fetch(self, name: str, part: Path, limit: int | None) -> bool:
        """Write an object to a new local file; returns whether there is such an object."""
        if path := self._file(name):
            if (source := objects_folder.open_file(path)) is None:
                return False
            with source, open_fresh(part) as file:
                if limit is not None and os.fstat(source.fileno()).st_size > limit:
                    raise self._too_large(name, limit)
                shutil.copyfileobj(source, file, 1 << 20)
            return True
        found = self._get(name, limit)
        if found is None:
            return False
        with open_fresh(part) as file:
            for chunk in found.stream(min_chunk_size=1 << 20):
                file.write(chunk)
            written = file.tell()
        if written != found.meta["size"]:
            raise self._broken(f"sent {written:,} of {found.meta['size']:,} bytes of {name}")
        return True

    def _listed(self, prefix: str) -> Iterator[tuple[str, int, str]]:
        key = self._key(prefix) if prefix else self._prefix()
        for chunk in self._client().list(key or None, chunk_size=100):
            for found in chunk:
                yield found["path"][len(key) :].removeprefix("/"), found["size"], found["e_tag"] or ""

    # --------------------------------------------------------------------------------------------------- errors

    @contextlib.contextmanager
    def _failing(self, name: str) -> Iterator[None]:
        """Turn every error of the store into one that says what to do. Nothing that the store says is quoted."""
        try:
            yield
        except (OSError, ValueError, NotImplementedError) as error:
            raise explained(error, self.url, name) from None
        except Exception as error:
            if not type(error).__module__.startswith("obstore."):
                raise
            raise explained(error, self.url, name) from None

    def _too_large(self, name: str, limit: int) -> MachineError:
        return ObjectTooLargeError(
            f"is larger than {limit:,} bytes",
            path=f"{self.url}/{name}",
            hint="another program wrote it: remove it, or use another folder",
        )

    def _broken(self, what: str) -> MachineError:
        return MachineError(f"the object store {what}", path=self.url, hint="use another folder or another store")


def check_conditions(objects: Objects, folder: str = "") -> None:
    """Make sure that a store keeps its promises: nothing is created twice, and only what did not change is swapped.

    Some stores that speak S3 ignore such conditions. Two builds would then overwrite each other. Errors name `objects`.

    Raises:
        MachineError: it ignores them, or it refuses or cannot be reached.
    """
    name = f"{folder and folder + '/'}.conditions-{secrets.token_hex(8)}"
    try:
        try:
            made, again = objects.create(name, b"first"), objects.create(name, b"second")
            there = objects.tagged(name, 100)
            keeps = made and not again and there is not None and there[0] == b"first"
            if keeps and there:
                keeps = objects.swap(name, b"third", there[1]) and not objects.swap(name, b"fourth", there[1])
        finally:
            objects.delete([name])
    except MachineError as error:
        raise MachineError(error.reason, path=(error.path or "").partition(f"/{name}")[0], hint=error.hint) from None
    if not keeps:
        reason = "this object store ignores If-None-Match or If-Match, so two builds could overwrite each other"
        hint = "use a store that honours them (Amazon S3, Google Cloud Storage, MinIO, R2), or a folder"
        raise MachineError(reason, path=objects.url, hint=hint)
