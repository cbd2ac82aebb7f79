"""Names of objects and addresses of their folders, as people and stores write them: checked, in their one form."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path

from .errors import CallError, MachineError, shown

__all__ = ["checked_name", "clean_url", "folder_of_url", "is_object_url"]

_IN_BUCKET = re.compile(
    r"(?P<scheme>s3|gs):/{1,2}(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,221})(?P<prefix>/.*)?", re.DOTALL
)
_IN_FOLDER = re.compile(r"file://(?P<folder>/.*)", re.DOTALL)
_LONGEST = 1024  # bytes of a name, the bound of S3


def is_object_url(text: str | Path) -> bool:
    """Whether a text is an address in an object store: s3:// or gs://.

    >>> is_object_url("s3://bucket/finews"), is_object_url(Path("s3://bucket/finews")), is_object_url("finews")
    (True, True, False)
    """
    return re.match("(s3|gs):/", str(text), re.IGNORECASE) is not None


def folder_of_url(url: str) -> Path | None:
    """The folder on a disk that an address names; None if it is in an object store.

    >>> folder_of_url("file:///a%20b") == Path("/a b"), folder_of_url("s3://bucket") is None
    (True, True)
    """
    match = _IN_FOLDER.fullmatch(url)
    return match and Path(urllib.parse.unquote(match["folder"]))


def clean_url(url: str) -> str:
    """An address in its one form."""
    if isinstance(url, str):
        url = re.sub("^(S3|GS|FILE):", lambda scheme: scheme[0].lower(), url, flags=re.IGNORECASE)
        bucket, folder = _IN_BUCKET.fullmatch(url), _IN_FOLDER.fullmatch(url)
        if bucket:
            prefix = (bucket["prefix"] or "").strip("/")
            clean = f"{bucket['scheme']}://{bucket['bucket']}"
            return f"{clean}/{checked_name(prefix, clean)}" if prefix else clean
        if folder:
            return f"file:///{folder['folder'].strip('/')}"
    raise CallError(
        "this is not the address of a folder in an object store",
        hint="write s3://bucket/folder, gs://bucket/folder or file:///folder; credentials come from the environment",
    )


def checked_name(name: str, url: str, *, may_be_empty: bool = False) -> str:
    """A name that is safe on a disk, too.

    Raises:
        MachineError: it is none.
    """
    if not name and may_be_empty:
        return name
    parts = name.split("/")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = _LONGEST + 1
    if size > _LONGEST or _has_controls(name) or any(part in ("", ".", "..") for part in parts):
        raise MachineError(
            f"no object may have the name {shown(name[:100])!r}", path=url, hint='write "a/b.txt", at most 1,024 bytes'
        )
    return name


def _has_controls(name: str) -> bool:
    return any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in name)
