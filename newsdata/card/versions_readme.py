"""The README.md beside the versions, with which `datasets.load_dataset("OUT")` opens the newest good version.

Without it `datasets` would take the shards of all versions together for one dataset. The file is no part of any version.
Build, prune and yank rewrite it. A README.md that newsdata did not write is left as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..errors import NewsdataError, shown
from ..files import read_regular, write_whole
from ..storage.manifest import MANIFEST_NAME, Manifest, hash_file, read_manifest, read_yanked, versions_in
from .contents import count_rows, splits_of
from .markdown import escape
from .readme import generate_header

__all__ = ["README_NAME", "update_versions_readme"]

README_NAME = "README.md"

_MARKER = "<!-- newsdata writes this file; every build, prune and yank rewrites it -->"
_FORMAT = 1  # raised when the text of the file changes, so that files that are there are written anew
_LARGEST = 2**20  # bytes of a README.md that is read
_ALL_YANKED = "every-version-was-yanked.parquet"
_NO_ROWS = "no-rows.parquet"


def update_versions_readme(out: Path, *, create: bool = True, scratch: Path | None = None) -> str | None:
    """Write the README.md of a folder of versions, if it is missing or not up to date.

    The version before stays readable at any time: the file is replaced in one step. No error ends the caller, because the
    versions themselves do not depend on the file.

    Args:
        out: the folder that holds versions.
        create: whether to make the file if it is missing.
        scratch: an empty folder on the same file system for the unfinished file; by default it is beside the finished one.

    Returns:
        Why the file was not written; None if it is up to date or if there is no version.
    """
    path = out / README_NAME
    try:
        there = versions_in(out)
        before = _read(path)
        if not there or (before is None and not create):
            return None
        if before is not None and _MARKER.encode() not in before:
            return (
                f"{shown(str(path))} is not newsdata's and stays: with it, datasets.load_dataset may mix all versions"
            )
        yanked = {version: read_yanked(out / version) for version in there}
        state = _state(out, yanked)
        if before is not None and before.endswith(state):
            return None
        text = _render(out, yanked).encode() + state
        if scratch is None:
            write_whole(path, text)
        else:
            (scratch / README_NAME).write_bytes(text)
            (scratch / README_NAME).replace(path)
    except (NewsdataError, OSError) as error:
        why = error.reason if isinstance(error, NewsdataError) else error.strerror or str(error)
        return f"{shown(str(path))} is not up to date, and datasets.load_dataset may use it: {why}"
    return None


def _read(path: Path) -> bytes | None:
    """The bytes of the file; None if there is none. What is no regular file, or too large, is somebody else's."""
    try:
        return read_regular(path, _LARGEST)
    except FileNotFoundError:
        return None
    except OSError:
        return b""


def _state(out: Path, yanked: Mapping[str, str | None]) -> bytes:
    """The last line of the file: a digest of all that decides its text. Rendering it takes half as long as a whole build that
    finds nothing new."""
    newest = _newest(yanked)
    manifest = hash_file(out / newest / MANIFEST_NAME) if newest else None
    digest = hashlib.sha256(repr((_FORMAT, list(yanked.items()), manifest)).encode("utf-8", "backslashreplace"))
    return f"\n<!-- state {digest.hexdigest()[:32]} -->\n".encode()


def _newest(yanked: Mapping[str, str | None]) -> str | None:
    """The newest good version; None if every version was yanked."""
    good = [version for version, reason in yanked.items() if reason is None]
    return good[-1] if good else None


def _render(out: Path, yanked: Mapping[str, str | None]) -> str:
    """The text of the file, but the last line.

    Args:
        out: the folder that holds versions.
        yanked: version -> why it was yanked, None if it was not; oldest first.
    """
    version = _newest(yanked)
    newest = read_manifest(out / version) if version else None
    header = yaml.safe_dump(_header(newest), allow_unicode=True, sort_keys=False, width=1000)
    lines = [f"- {v}" if why is None else f"- {v}: yanked ({escape(why)})" for v, why in reversed(list(yanked.items()))]
    parts = [_MARKER, "# Versions", "\n".join(lines), _how_to_load(newest)]
    return f"---\n{header}---\n\n" + "\n\n".join(parts) + "\n"


def _header(newest: Manifest | None) -> dict[str, Any]:
    """The YAML header. Its patterns match files of the newest good version only.

    Without a config `datasets` would look for files itself and find those of all versions. So if there is no good version, or
    it has no rows, one config names a file that does not exist; its name tells why.
    """
    header = generate_header(newest) if newest else {}
    if newest is None or not header.get("configs"):
        name = _ALL_YANKED if newest is None else _NO_ROWS
        return {"configs": [{"config_name": "articles", "data_files": name}]}
    return header | {"configs": [_within(newest.dataset_version, config) for config in header["configs"]]}


def _within(version: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """A config of a version's own README.md, with paths relative to the folder that holds the version."""

    def moved(path: str | list[str]) -> str | list[str]:
        return f"{version}/{path}" if isinstance(path, str) else [f"{version}/{one}" for one in path]

    return {**config, "data_files": [{**files, "path": moved(files["path"])} for files in config["data_files"]]}


def _how_to_load(newest: Manifest | None) -> str:
    if newest is None:
        return "Every version was yanked. Each can still be opened by its own folder."
    version = newest.dataset_version
    splits = ", ".join(f"{split} {count_rows(newest, 'articles', split):,}" for split in splits_of(newest, "articles"))
    return (
        f"`datasets.load_dataset` on this folder opens {version}, the newest good version ({splits or 'no articles'}). "
        f"Its card is [{version}/README.md]({version}/README.md). Any version can be opened by its own folder."
    )
