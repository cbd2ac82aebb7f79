"""The client of an object store, and which of its errors mean "not there" or "perhaps later"."""

from __future__ import annotations

import configparser
import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from .errors import MachineError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["may_pass", "open_client", "unless_missing"]

_T = TypeVar("_T")

_STATUS = re.compile(r"status code: (\d{3})\b")
_SETTINGS = re.compile(r"(AWS|GOOGLE)_[A-Z0-9_]+|(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
_ENDPOINTS = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "GOOGLE_BASE_URL"}
_VISIBLE = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # the characters of an address


def open_client(bucket: str) -> ObjectStore:
    """The client of a bucket; a process opens it once for its settings.

    Args:
        bucket: s3://bucket or gs://bucket.

    Raises:
        MachineError: the library is not installed, or a variable names no address of a store.
    """
    settings = tuple(sorted((key, value) for key, value in os.environ.items() if _SETTINGS.fullmatch(key)))
    return _client(bucket, settings, os.getpid())


def unless_missing(ask: Callable[[], _T]) -> _T | None:
    """What the store answers; None if there is no such object.

    Raises:
        FileNotFoundError: there is no such bucket.
    """
    try:
        return ask()
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise
        return None


def may_pass(error: Exception) -> bool:
    """Whether an error of the library may be gone at the next attempt."""
    if isinstance(error, MachineError):  # for example, the library is not installed
        return False
    from obstore.exceptions import AlreadyExistsError, GenericError, PreconditionError

    text = str(error)
    if isinstance(error, GenericError) and (found := _STATUS.search(text)) and found[1] < "500":
        return False
    return isinstance(error, AlreadyExistsError | GenericError | PreconditionError) and "169.254." not in text


@functools.cache
def _client(bucket: str, settings: tuple[tuple[str, str], ...], process: int) -> ObjectStore:
    """The client for some settings. `process` is the id of this one: a child that is forked opens a client of its own."""
    from datetime import timedelta

    try:
        from obstore.store import GCSStore, S3Store
    except ImportError:
        raise MachineError(
            "object stores need a library that is not installed", path=bucket, hint='pip install "newsdata[cluster]"'
        ) from None
    values = dict(settings)
    endpoints = _endpoints(values, "GOOGLE_" if bucket.startswith("gs:") else "AWS_")
    shared: dict[str, Any] = {
        "client_options": {
            "allow_http": any(one.startswith("http:") for one in endpoints),
            "timeout": timedelta(minutes=15),
            "read_timeout": timedelta(seconds=30),
        },
        "retry_config": {
            "max_retries": 6,
            "retry_timeout": timedelta(seconds=60),
            "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=3), "base": 2},
        },
    }
    if bucket.startswith("gs:"):
        return GCSStore.from_url(bucket, **shared)
    keys: dict[str, Any] = {} if "AWS_ACCESS_KEY_ID" in values else _profile(values)
    return S3Store.from_url(bucket, **shared, **keys)


def _endpoints(values: dict[str, str], prefix: str) -> list[str]:
    """The addresses in the variables that begin with `prefix`. The library would end the process at one of another form."""
    endpoints = []
    for name, value in values.items():
        if name.upper() not in _ENDPOINTS or not name.upper().startswith(prefix):
            continue
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or not _VISIBLE.fullmatch(value):
            hint = "write it like http://127.0.0.1:9000 or https://s3.example.org, or unset it"
            raise MachineError("is not the address of an object store", field=name, hint=hint)
        endpoints.append(value)
    return endpoints


def _profile(values: dict[str, str]) -> dict[str, str]:
    """The keys of a profile in ~/.aws/credentials; none if there is no such file."""
    path = Path(values.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials")
    found = configparser.RawConfigParser()
    try:
        found.read_string(path.read_text("utf-8"))
    except (OSError, ValueError, configparser.Error):
        return {}
    profile = values.get("AWS_PROFILE", "default")
    fields = ("access_key_id", "secret_access_key", "session_token")
    keys = {field: found.get(profile, f"aws_{field}", fallback="") for field in fields}
    return {field: key for field, key in keys.items() if key}
