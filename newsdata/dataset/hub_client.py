"""Calls to the Hub through `huggingface_hub`: repeated when they fail for a moment, with errors of newsdata's own."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..errors import HubError, MachineError, NewsdataError, shown
from .hub_guard import guarded_client
from .hub_waiting import PASSING, asked_wait

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

__all__ = ["Place", "Unreachable", "attempt", "check_repo_id", "client"]

_Answer = TypeVar("_Answer")

_WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds between two tries of one request, where the Hub does not say how long
_PATIENCE = 180.0  # seconds after its first failure in which a request is tried again
_SILENT = 1  # how often a request is tried again after which the Hub said nothing for a while
_LONGEST_MESSAGE = 300  # characters of what the Hub said


class Unreachable(HubError):
    """The Hub does not answer, or only with 5xx, 408 or 429. The only error after which the local cache is used."""


class Place(NamedTuple):
    """A dataset repository, and how it is reached.

    Attributes:
        repo_id: "owner/name".
        token: of the Hub; None takes the one that `huggingface_hub` finds (HF_TOKEN, or its login).
        cache_dir: the folder where `huggingface_hub` keeps what it downloads; None is its own (HF_HUB_CACHE).
    """

    repo_id: str
    token: str | None = None
    cache_dir: str | Path | None = None


def client(token: str | None = None) -> HfApi:
    """The client of `huggingface_hub`, set up by HF_ENDPOINT and the library's other environment variables."""
    from huggingface_hub import HfApi

    return HfApi(token=token, library_name="newsdata")


def check_repo_id(repo_id: str) -> None:
    """Check that `repo_id` has the form owner/name and obeys the Hub's rules for names.

    Raises:
        HubError: it does not.

    >>> check_repo_id("lab/finews")
    >>> check_repo_id("finews")
    Traceback (most recent call last):
    newsdata.errors.HubError: 'finews' is not the name of a repository; write owner/name, or ./name for a folder
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    reason = f"{repo_id!r} is not the name of a repository"
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        if repo_id.count("/") == 1:
            raise HubError(reason, hint=str(error)) from None
    if repo_id.count("/") != 1:
        raise HubError(reason, hint="write owner/name, or ./name for a folder")


def attempt(call: Callable[[], _Answer], repo_id: str, *, report: Callable[[str], None] | None = None) -> _Answer:
    """Make a call to the Hub. Repeat it while the Hub is busy or connections break; translate its errors.

    Busy are 5xx, 408 (timeout) and 429 (too many requests). The Hub says how long to wait (`Retry-After`), up to a minute.
    `huggingface_hub` repeats only some of its requests: not those that make commits and tags or list references. A call
    may be many requests: each of them may fail a few times.

    Args:
        call: makes the call; it must be safe to repeat.
        repo_id: the repository, for error messages.
        report: called with a message before each new try.

    Raises:
        HubError: made from the client's error, which is its `__cause__`.
        MachineError: the disk is full, or a permission is missing.
    """
    tries: Counter[str] = Counter()
    first: dict[str, float] = {}
    while True:
        try:
            with guarded_client():
                return call()
        except (NewsdataError, MemoryError, ImportError) as error:
            if isinstance(error, HubError) and error.path is None:  # a rule of `hub_http`, which knows no repository
                raise HubError(error.reason, path=repo_id, hint=error.hint) from None
            raise
        except Exception as error:  # the client may stumble in any way over an answer that it does not expect
            cause = _innermost_cause(error)
            if isinstance(cause, NewsdataError):  # from a rule of `hub_guard`
                raise cause from None
            request = _request_of(cause)
            waited = time.monotonic() - first.setdefault(request, time.monotonic())
            most = _SILENT if "Timeout" in type(cause).__name__ else len(_WAITS)
            if not _is_passing(cause) or tries[request] >= min(most, len(_WAITS)) or waited > _PATIENCE:
                raise _translated(cause, repo_id) from cause
            wait = _asked(cause)
            wait = _WAITS[tries[request]] if wait is None else wait
            tries[request] += 1
            if report:
                report(f"{repo_id}: {_one_line(cause)}; again in {wait:g} s")
        time.sleep(wait)


def _request_of(error: BaseException) -> str:
    """Method and path of the request that failed; nothing where the error does not tell."""
    try:
        request = error.request  # type: ignore[attr-defined]
        return f"{request.method} {request.url.path}"
    except (AttributeError, RuntimeError):  # RuntimeError: the error of a client that has no request
        return ""


def _asked(error: BaseException) -> float | None:
    """The seconds for which the Hub asked to wait."""
    from huggingface_hub.errors import HfHubHTTPError

    return asked_wait(error.response.headers) if isinstance(error, HfHubHTTPError) else None


def _innermost_cause(error: BaseException) -> BaseException:
    """The error that says most: the client wraps it in others that say less."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    while error.__cause__ is not None and (
        isinstance(error, LocalEntryNotFoundError | RuntimeError | ValueError) and not isinstance(error, HfHubHTTPError)
    ):
        error = error.__cause__
    return error


def _is_passing(error: BaseException) -> bool:
    """Whether the same call may succeed a moment later."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]

    if isinstance(error, HfHubHTTPError):
        return _is_busy(error.response.status_code)
    if isinstance(error, HTTPError):
        return type(error).__name__ != "ConnectError"  # nothing listens at this address
    too_short = isinstance(error, OSError) and "Consistency check failed" in str(error)
    return too_short or isinstance(error, json.JSONDecodeError)  # an error page instead of JSON


def _is_busy(status: int) -> bool:
    return status >= 500 or status in PASSING


def _translated(error: BaseException, repo_id: str) -> NewsdataError:
    """The error of newsdata for an error of the client."""
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled):
        return Unreachable("the Hub cannot be reached: offline mode is on", path=repo_id, hint="unset HF_HUB_OFFLINE")
    if isinstance(error, errors.GatedRepoError):
        return HubError("this repository is gated", path=repo_id, hint="ask for access on its page")
    if isinstance(error, errors.RepositoryNotFoundError):
        reason = "there is no such dataset repository, or this token may not see it"
        return HubError(reason, path=repo_id, hint="check the name, and HF_TOKEN or `hf auth login`")
    if isinstance(error, errors.HfHubHTTPError):
        return _translated_answer(error, repo_id)
    if isinstance(error, errors.HTTPError):  # type: ignore[attr-defined]
        return Unreachable(f"the Hub cannot be reached: {_one_line(error)}", path=repo_id, hint="check the network")
    if not isinstance(error, OSError | ValueError | RuntimeError) or isinstance(error, RecursionError):
        reason = (
            f"the Hub's answer is not of the form that its client expects ({type(error).__name__}: {_one_line(error)})"
        )
        return HubError(reason, path=repo_id, hint="check HF_ENDPOINT, and that huggingface_hub is up to date")
    if isinstance(error, OSError) and error.errno is not None:
        return MachineError(f"the system said: {error.strerror}", path=error.filename)
    return HubError(_one_line(error), path=repo_id)


def _translated_answer(error: HfHubHTTPError, repo_id: str) -> HubError:
    """The error of newsdata for an answer of the Hub that is not 2xx."""
    status = error.response.status_code
    said = _safe(error.server_message or "") or f"status {status}"
    if status == 401:
        return HubError(f"the Hub does not know this token: {said}", path=repo_id, hint="check HF_TOKEN")
    if status == 403:
        return HubError(f"this token may not do that: {said}", path=repo_id, hint="use a token with write access")
    if _is_busy(status):
        return Unreachable(f"the Hub cannot be reached: it answers {status}", path=repo_id, hint="try again later")
    return HubError(f"the Hub refused: {said}", path=repo_id)


def _one_line(error: BaseException) -> str:
    return _safe(str(error)) or type(error).__name__


def _safe(text: str) -> str:
    """Words of the Hub, which may be anything: on one line, not too long, and safe to print."""
    words = shown(" ".join(text[: 10 * _LONGEST_MESSAGE].split()))
    return words if len(words) <= _LONGEST_MESSAGE else f"{words[:_LONGEST_MESSAGE]}…"
