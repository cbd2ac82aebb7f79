"""Rules for the requests that `huggingface_hub` sends itself, which are those that change something on the Hub.

Its client follows addresses that the Hub names (of uploads, of a next page), with the token in some cases, and waits
without end. While the block runs, hooks of its session keep the rules of `hub_http`.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from .hub_http import check_address, check_plain, endpoint, is_same_place, paced
from .hub_waiting import PASSING, asked_wait

__all__ = ["guarded_client"]

_TIMES = {"connect": 10.0, "read": 60.0, "write": 60.0, "pool": 60.0}
"""Seconds between two bytes. The Hub may need a while for a commit."""

_LARGEST = 1 << 26  # bytes of an answer


@contextlib.contextmanager
def guarded_client() -> Iterator[None]:
    """Let `huggingface_hub` send the token to the Hub only, read bounded answers, and wait no longer than `asked_wait`.

    The session is that of the whole process. Downloads from it by others, meanwhile, are not bounded.
    """
    from huggingface_hub import get_session

    hooks = get_session().event_hooks
    pairs = ((hooks["request"], _before), (hooks["response"], _after))
    for there, hook in pairs:
        there.append(hook)
    try:
        yield
    finally:
        for there, hook in pairs:
            with contextlib.suppress(ValueError):  # the session was made anew meanwhile
                there.remove(hook)


def _before(request: Any) -> None:
    """Take the token from a request to another host, and let no request wait without end."""
    address = str(request.url)
    if not is_same_place(check_address(address), endpoint()):
        request.headers.pop("authorization", None)
    if _is_ours(request):
        request.headers["accept-encoding"] = "identity"
        given = request.extensions.get("timeout") or {}
        request.extensions["timeout"] = {key: given.get(key) or seconds for key, seconds in _TIMES.items()}


def _after(answer: Any) -> None:
    """Bound an answer before its body is read."""
    if answer.status_code in PASSING or answer.status_code >= 500:
        seconds = asked_wait(answer.headers)
        for name in ("ratelimit", "retry-after"):
            answer.headers.pop(name, None)
        if seconds is not None:
            answer.headers["retry-after"] = str(math.ceil(seconds))
    if _is_ours(answer.request):
        check_plain(answer.headers)
        raw = answer.iter_raw
        answer.iter_raw = lambda chunk_size=None: paced(raw(chunk_size), _LARGEST)


def _is_ours(request: Any) -> bool:
    """Whether a request is one of the Hub's API, or changes something; not a download."""
    return request.method not in ("GET", "HEAD") or request.url.path.startswith("/api/")
