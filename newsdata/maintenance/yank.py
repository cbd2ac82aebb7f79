"""Yank a version: mark it as bad."""

from __future__ import annotations

from pathlib import Path

from ..dataset.open_version import open_version
from ..errors import CallError
from ..storage.manifest import MANIFEST_NAME, YANKED_NAME
from .marks import checked_reason, write_mark

__all__ = ["yank"]


def yank(path: str | Path, *, reason: str, revision: str | None = None) -> Path:
    """Mark a version as bad.

    From then on "the newest version" and ranges skip it, loading exactly this version warns, and `publish` refuses it. The
    mark is the file `yanked.json` in the version's folder, which no manifest lists; delete the file to remove the mark. The
    next build still follows the version, because its decisions about splits stay valid.

    Args:
        path: the folder of a version, or with `revision` the folder that holds versions.
        reason: why, for people who read it later.
        revision: the version, "1.0.0"; a range is not allowed.

    Returns:
        The folder of the version.

    Raises:
        VersionError: the version does not exist.
        ManifestError: its manifest cannot be read.
        CallError: the reason is empty, or no exact version is named.

    >>> import tempfile
    >>> from newsdata import build, info
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     folder = yank(made.path, reason="half of March was missing")
    ...     info(made.path)["yanked"]
    'half of March was missing'
    """
    reason = checked_reason(reason)
    if not (Path(path) / MANIFEST_NAME).is_file() and (revision is None or "*" in revision):
        raise CallError(
            "this folder holds versions; say which one is bad",
            path=path,
            hint="name its folder, or use --revision X.Y.Z",
        )
    folder, manifest = open_version(path, revision)
    write_mark(folder / YANKED_NAME, {"version": manifest.dataset_version, "reason": reason})
    return folder
