"""Which published versions were yanked: the file `.yanked.json` on the main branch of a repository.

It holds a reason for each bad version: `{"1.1.0": "half of March was missing"}`. It belongs to no version. Its name begins
with a dot because `datasets` takes every other JSON file of a repository for data.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from ..errors import HubError, ManifestError, shown
from ..files import read_regular
from ..storage.manifest import PUBLISHED_MARKS_NAME, parse_version
from .hub_client import Place
from .hub_download import download

__all__ = ["marks_text", "published_marks", "read_marks"]

_LARGEST = 1 << 20  # bytes of the file
_Version = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){2}\Z")]
_Reason = Annotated[str, msgspec.Meta(max_length=10_000)]
_MAIN = "main"


def published_marks(place: Place, commit: str = _MAIN, *, offline: bool = False) -> dict[str, str]:
    """The yanked versions of a repository, oldest first, and the reason of each. Reasons are one line, safe to print.

    Args:
        place: the repository.
        commit: of the main branch, if it is known.
        offline: ask the local cache only, which may not know all.

    Raises:
        HubError: the Hub refused.
        ManifestError: the file is damaged, so that nobody knows which versions are bad.
    """
    from huggingface_hub.errors import EntryNotFoundError, RevisionNotFoundError

    try:
        file = download(place, commit, PUBLISHED_MARKS_NAME, most=_LARGEST, offline=offline)
        return read_marks(file, place.repo_id)
    except HubError as error:
        if isinstance(error.__cause__, EntryNotFoundError | RevisionNotFoundError):  # no such file, or no commit at all
            return {}
        if offline:  # not in the cache
            return {}
        raise


def read_marks(path: Path, repo_id: str) -> dict[str, str]:
    """The yanked versions in the file of a repository, oldest first, and the reason of each.

    Raises:
        ManifestError: the file is damaged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "marks"
    ...     _ = file.write_text(marks_text({"1.10.0": "no dates", "1.9.0": "no text"}))
    ...     read_marks(file, "lab/finews")
    {'1.9.0': 'no text', '1.10.0': 'no dates'}
    """
    try:
        found = msgspec.json.decode(read_regular(path, _LARGEST, follow=True), type=dict[_Version, _Reason])
    except (OSError, msgspec.MsgspecError) as error:
        raise ManifestError(
            f"{PUBLISHED_MARKS_NAME} on its main branch cannot be read, so nobody knows which versions are bad: {error}",
            path=repo_id,
            hint="its publisher must restore or delete that file; exact versions can be loaded",
        ) from None
    return {version: shown(" ".join(found[version].split())) for version in sorted(found, key=parse_version)}


def marks_text(marks: Mapping[str, str]) -> str:
    """The file for some yanked versions."""
    ordered = {version: marks[version] for version in sorted(marks, key=parse_version)}
    return msgspec.json.format(msgspec.json.encode(ordered), indent=1).decode() + "\n"
