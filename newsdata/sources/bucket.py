"""A folder in an object store as a source: it is listed and read in place, from any host.

Every object has a tag (ETag) that is another one when its bytes change. So an object with a known tag is not read again, and one
that changes between the listing and the reading is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from ..errors import CallError, SourceError
from ..objects import Objects, ObjectTooLargeError, is_object_url
from ..schema import Reject
from .files import Files, Listing, Source, SourceFile, as_reject, in_order, unreadable
from .folder_walk import Fault, check_path, size_fault

__all__ = ["list_file", "list_files", "open_folder", "read_files"]

_LISTED_AT_ONCE = 10_000  # objects in a piece of the listing
_READ_AT_ONCE = 16


def open_folder(url: str, exclude: str | Path | None = None) -> Source | None:
    """Open a folder in an object store; None for an object, such as a tar file, or if the library for it is not installed.

    Args:
        url: its address.
        exclude: the address of a folder to skip if it lies inside: the output.

    Raises:
        SourceError: there is nothing at this address, or it is the output itself.
        MachineError: the store refuses or cannot be reached.
    """
    try:
        import obstore  # noqa: F401

        objects = Objects(url=url)
    except (ImportError, CallError):  # credentials or a query in it: fsspec may know what they mean
        return None
    above, _, name = objects.url.rpartition("/")
    if not above.endswith("/") and Objects(url=above).size(name) is not None:
        return None
    if next(objects.names(), None) is None:
        raise SourceError("there is nothing at this address", path=objects.url, hint="check the address")
    inside = None
    if exclude is not None and is_object_url(exclude):
        out = Objects(url=str(exclude)).url
        if out == objects.url:
            raise SourceError("the output folder is the source itself", path=url, hint="give another output folder")
        inside = out.removeprefix(f"{objects.url}/") if out.startswith(f"{objects.url}/") else None
    return Source(kind="bucket", root=objects.url, exclude=inside)


def list_files(source: Source, scratch: Path | None = None) -> Listing:
    """Every object of the folder, sorted by path.

    Args:
        source: the folder.
        scratch: a folder for temporary files.

    Raises:
        MachineError: the store refuses or cannot be reached, or lists names that no file may have.
    """
    rejects: list[Reject] = []
    found = _listed(source, rejects)
    files = Files.on_disk(_pieces(found), scratch)
    return Listing(files=files, rejects=in_order(rejects))


def _pieces(found: Iterator[SourceFile]) -> Iterator[Files]:
    while some := list(islice(found, _LISTED_AT_ONCE)):
        yield Files.of(some)


def _listed(source: Source, rejects: list[Reject]) -> Iterator[SourceFile]:
    """The files; those that cannot be taken are added to `rejects`."""
    objects = Objects(url=source.root)
    for name, size, tag in objects.stamped():
        parts = name.split("/")
        if ".git" in parts or (source.exclude and name.startswith(f"{source.exclude}/")):
            continue
        if not size and objects.size(name) is None:
            continue  # an object that stands for an empty folder, as consoles make them: its name ends with a slash
        path = check_path(name.encode())
        if isinstance(path, Fault):
            rejects.append(as_reject(name.encode(), path._replace(size=size)))
        elif fault := size_fault(size):
            rejects.append(as_reject(name.encode(), fault))
        else:
            yield SourceFile(path, size, _stamp(size, tag))


def list_file(source: Source, path: str) -> Listing:
    """The listing of one object: empty if there is none at `path`, a reject if it is too large."""
    size = Objects(url=source.root).size(path)
    if size is None:
        return Listing(files=Files.of(()), rejects=())
    if fault := size_fault(size):
        return Listing(files=Files.of(()), rejects=(as_reject(path.encode(), fault),))
    return Listing(files=Files.of([SourceFile(path, size, "")]), rejects=())


def read_files(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    """Each file with its bytes, or with a reject if it vanished or changed since it was listed.

    Raises:
        MachineError: the store refuses or cannot be reached.
    """
    objects, rest = Objects(url=source.root), iter(files)

    def read(file: SourceFile) -> bytes | Reject:
        try:
            found = objects.read_stamped(file.path, file.size)
        except ObjectTooLargeError:
            return unreadable(file, "the file changed while it was read")
        if found is None:
            return unreadable(file, "the file vanished while it was read")
        data, tag = found
        same = len(data) == file.size and file.stamp in ("", _stamp(file.size, tag))
        return data if same else unreadable(file, "the file changed while it was read")

    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        while some := list(islice(rest, 2 * _READ_AT_ONCE)):
            yield from zip(some, pool.map(read, some), strict=True)


def _stamp(size: int, tag: str) -> str:
    """The stamp of an object; "", which says nothing, if the store gives no tag."""
    return f"etag:{tag}:{size}" if tag else ""
