"""Errors of object stores and disks as ours, which say what to do. Nothing that a store says is quoted."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from .errors import MachineError

__all__ = ["ObjectTooLargeError", "broken", "failing", "too_large"]

_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})\b")
_CLOUD_MACHINE = re.compile(r"169\.254\.|metadata\.google")  # where a machine of a cloud asks for its credentials


class ObjectTooLargeError(MachineError):
    """An object is larger than the caller allows."""


@contextlib.contextmanager
def failing(url: str, name: str) -> Iterator[None]:
    """A context in which every error of a store or a disk becomes a `MachineError` about an object.

    Args:
        url: the address of the folder.
        name: of the object.
    """
    try:
        yield
    except (OSError, ValueError, NotImplementedError) as error:
        raise _explained(error, url, name) from None
    except Exception as error:
        if not type(error).__module__.startswith("obstore."):
            raise
        raise _explained(error, url, name) from None


def too_large(url: str, name: str, limit: int) -> ObjectTooLargeError:
    """The error about an object that is larger than `limit` bytes."""
    return ObjectTooLargeError(
        f"is larger than {limit:,} bytes",
        path=f"{url}/{name}",
        hint="another program wrote it: remove it, or use another folder",
    )


def broken(url: str, what: str) -> MachineError:
    """The error about a store that breaks the rules."""
    return MachineError(f"the object store {what}", path=url, hint="use another folder or another store")


def _explained(error: Exception, url: str, name: str) -> MachineError:
    """An error of the library or of this machine as one that says what to do."""
    path, text = f"{url}/{name}", str(error)
    if isinstance(error, OSError) and error.errno:
        hint = "check the folder and your rights in it"
        return MachineError(error.strerror or type(error).__name__, path=error.filename or path, hint=hint)
    status, code = _STATUS.search(text), _CODE.search(text)
    said = " ".join(match[1] for match in (status, code) if match)
    if code and code[1] == "NoSuchBucket":
        bucket = "/".join(url.split("/")[:3])
        return MachineError("there is no such bucket", path=bucket, hint="check its name, or make it first")
    has_no_credentials = _CLOUD_MACHINE.search(text) is not None
    if has_no_credentials or (status and status[1] in ("401", "403")):
        reason = "there are no credentials" if has_no_credentials else f"the object store refuses access ({said})"
        aws, google = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS"
        hint = f"check {aws if url.startswith('s3:') else google}, and what they may do in this bucket"
        return MachineError(reason, path=path, hint=hint)
    if isinstance(error, FileNotFoundError):
        return MachineError("there is no such object", path=path, hint="check the address")
    if "invalid path" in text or "Could not parse path" in text:
        reason = "the object store lists a name that no object may have"
        return MachineError(reason, path=path, hint="remove that object, or use another folder")
    reason = f"the object store fails ({said})" if said else "the object store cannot be reached, or breaks off"
    return MachineError(reason, path=path, hint="check AWS_ENDPOINT_URL and the network, and try again later")
