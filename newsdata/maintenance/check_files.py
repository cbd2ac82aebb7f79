"""Check the files of a version: each against its size and hash in the manifest, and the folder for files beside them.

A version is good wherever it came from: a download keeps its records in `.cache/huggingface`, a snapshot in the cache of
`huggingface_hub` is made of links to its `blobs`, and a clone has `.git` and `.gitattributes`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import shown
from ..schema import CONFIGS
from ..storage.manifest import MANIFEST_NAME, PUBLISHED_MARKS_NAME, YANKED_NAME, File, Manifest, Shard, fault_of

__all__ = ["DAMAGED_REMEDY", "Check", "FilesChecked", "check_files", "first_few"]

DAMAGED_REMEDY = (
    "get the damaged files again from where this version came from, or build the next version from the archive "
    "(newsdata build SOURCE OUT --version X.Y.Z)"
)
_POINTER_REMEDY = "the clone has pointers of Git LFS in place of files: run `git lfs pull` in its folder"
_EXTRA_REMEDY = "move the extra files out of the data folders: `datasets` and other readers may take them for data"

_LISTED = 20  # faults or notes of one kind that are listed
_OWN = {MANIFEST_NAME, YANKED_NAME, PUBLISHED_MARKS_NAME, ".gitattributes"}
_FOLDERS_OF_TOOLS = {".git", ".cache/huggingface"}
_FILES_OF_SYSTEMS = {".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One of the things that were checked.

    Attributes:
        what: the sentence that was checked.
        faults: how many faults were found.
        left_out: whether it could not be checked, or not of all rows, because files are damaged.
    """

    what: str
    faults: int
    left_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesChecked:
    """What was found.

    Attributes:
        damaged: the paths of files that are missing or are not those of the manifest. Nothing should be read from them.
        faults: what is wrong: one sentence for each damaged file, and for each extra file in a data folder.
        notes: extra files elsewhere.
        remedies: what to do about the faults.
    """

    damaged: frozenset[str]
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    remedies: tuple[str, ...]


def check_files(folder: Path, manifest: Manifest) -> FilesChecked:
    """Compare size and hash of every file with the manifest, and look for files that it does not list.

    Args:
        folder: of the version. A link that leads out of it is a fault, except in a snapshot of `huggingface_hub`: there it
            may lead to the blobs beside it.
        manifest: of the version.
    """
    everything: list[Shard | File] = [*manifest.shards, *manifest.files]
    wrong = {file.path: fault for file in everything if (fault := fault_of(folder, file))}
    remedies = [_POINTER_REMEDY if "Git LFS" in fault else DAMAGED_REMEDY for fault in wrong.values()]
    extra = _extra_files(folder, {file.path for file in everything})
    in_data = [path for path in extra if _is_data(path)]
    elsewhere = [path for path in extra if not _is_data(path)]
    if in_data:
        remedies.append(_EXTRA_REMEDY)
    return FilesChecked(
        damaged=frozenset(wrong),
        faults=(
            *(f"{shown(path)}: {fault}" for path, fault in wrong.items()),
            *first_few(f"{shown(path)}: is not in the manifest" for path in in_data),
        ),
        notes=tuple(first_few(f"{shown(path)}: is not in the manifest" for path in elsewhere)),
        remedies=tuple(dict.fromkeys(remedies)),
    )


def first_few(faults: Iterable[str]) -> Iterator[str]:
    """The first of many faults of one kind, and how many more there are.

    >>> list(first_few(map(str, range(21))))[-2:]
    ['19', '… and 1 more of this kind']
    """
    listed = list(faults)
    yield from listed[:_LISTED]
    if len(listed) > _LISTED:
        yield f"… and {len(listed) - _LISTED:,} more of this kind"


def _walk(folder: Path) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """Each folder below `folder` with what is in it; folders of other tools, and links, are not entered."""
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(folder / inside) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError:  # what is listed in it counts as unreadable
            continue
        yield inside, entries
        for entry in entries:
            path = f"{inside}{entry.name}"
            if entry.is_dir(follow_symlinks=False) and path not in _FOLDERS_OF_TOOLS:
                waiting.append(f"{path}/")


def _extra_files(folder: Path, listed: set[str]) -> list[str]:
    """The paths that are neither in the manifest nor left by git, a download or an operating system, sorted."""
    listed = listed | {str(parent) for path in listed for parent in PurePosixPath(path).parents}  # links to folders
    return sorted(
        path
        for inside, entries in _walk(folder)
        for entry in entries
        if (path := f"{inside}{entry.name}") not in listed
        and path not in _OWN
        and path not in _FOLDERS_OF_TOOLS
        and entry.name not in _FILES_OF_SYSTEMS
        and not entry.name.startswith("._")  # macOS keeps attributes there, on file systems that have none
        and not entry.is_dir(follow_symlinks=False)
    )


def _is_data(path: str) -> bool:
    """Whether readers would take an extra file for data: it lies in the folder of a config and is not hidden."""
    parts = path.split("/")
    return parts[0] in CONFIGS and not any(part.startswith(".") for part in parts)
