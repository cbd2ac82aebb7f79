"""Whether a place is itself a version, so that no versions may be written into it."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from ..errors import MachineError, VersionError
from ..objects import Objects, is_object_url
from .manifest import LARGEST_MANIFEST, MANIFEST_NAME, is_version

__all__ = ["check_holds_versions"]

_OURS = {"manifest_version", "dataset_version"}


def check_holds_versions(place: Objects, name: object) -> None:
    """Check that a place for versions is not itself a version: what is written into it would be passed on with it.

    Args:
        place: the folder, here or in a bucket. It need not exist.
        name: what messages call it.

    Raises:
        VersionError: it has a manifest of newsdata, also a damaged one if it is called X.Y.Z.
        MachineError: the store refuses or cannot be reached.
    """
    size = place.size(MANIFEST_NAME)
    if size is None:
        return
    above, _, own = place.url.rpartition("/")
    if is_version(own) or (size <= LARGEST_MANIFEST and _is_ours(place)):
        here = above if is_object_url(above) else unquote(above.removeprefix("file://"))
        hint = f"give the folder that holds the versions: {here}"
        raise VersionError(
            "this is the folder of one version, and no version is written into another", path=name, hint=hint
        )


def _is_ours(place: Objects) -> bool:
    try:
        found = msgspec.json.decode(place.read(MANIFEST_NAME, LARGEST_MANIFEST) or b"", type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError, MachineError):  # no regular file, for example
        return False
    return found.keys() >= _OURS
