"""The mark of a bad version in its folder."""

from __future__ import annotations

from pathlib import Path

from ..building.workspace import WORK
from ..card.versions_readme import update_versions_readme
from ..dataset.open_version import open_version
from ..errors import CallError
from ..storage.manifest import MANIFEST_NAME, YANKED_NAME
from .marks import checked_reason, write_mark

__all__ = ["mark_as_bad", "take_mark_away"]


def mark_as_bad(path: str | Path, reason: str, revision: str | None = None) -> tuple[Path, str, str]:
    """Mark a version as bad.

    Args:
        path: the folder of a version, or with `revision` the folder that holds versions.
        reason: why, for people who read it later.
        revision: the version, "1.0.0"; a range is not allowed.

    Returns:
        the folder of the version, the version, and the reason on one line.

    Raises:
        VersionError: the version does not exist.
        ManifestError: its manifest cannot be read.
        CallError: the reason is empty, or no exact version is named.
    """
    reason = checked_reason(reason)
    folder, version = _open_exact(path, revision)
    write_mark(folder / YANKED_NAME, {"version": version, "reason": reason})
    _update_readme(folder)
    return folder, version, reason


def take_mark_away(path: str | Path, revision: str | None = None) -> tuple[Path, str]:
    """Take the mark away; where there is none, nothing is done.

    Args:
        path, revision: as for `mark_as_bad`.

    Returns:
        the folder of the version, and the version.

    Raises:
        VersionError, ManifestError, CallError: as for `mark_as_bad`.
    """
    folder, version = _open_exact(path, revision)
    (folder / YANKED_NAME).unlink(missing_ok=True)
    _update_readme(folder)
    return folder, version


def _open_exact(path: str | Path, revision: str | None) -> tuple[Path, str]:
    """The folder of the version that is named exactly, and the version."""
    if not (Path(path) / MANIFEST_NAME).is_file() and (revision is None or "*" in revision):
        raise CallError(
            "this folder holds versions; say which one is meant",
            path=path,
            hint="name its folder, or use --revision X.Y.Z",
        )
    folder, manifest = open_version(path, revision)
    return folder, manifest.dataset_version


def _update_readme(folder: Path) -> None:
    """Bring the README.md beside the versions up to date, where newsdata builds versions or wrote one before."""
    update_versions_readme(folder.parent, create=(folder.parent / WORK).is_dir())
