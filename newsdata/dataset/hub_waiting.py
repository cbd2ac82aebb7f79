"""How long to wait before a request is sent to the Hub again: as long as the Hub asks for, but never long.

`huggingface_hub` repeats some requests itself. It does not read a date in `Retry-After`, and waits for however long the
Hub says. So `hub_guard` makes the header a small number of seconds before it sees it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

__all__ = ["PASSING", "asked_wait"]

PASSING = (408, 429)
"""Statuses below 500 after which the same request may succeed a moment later."""

_LONGEST = 60.0  # seconds
_LONGEST_LIMIT = 300.0  # seconds: the Hub counts requests in windows of five minutes, so it never means more
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_RESET = re.compile(r";\s*t\s*=\s*(\d{1,9})", re.ASCII)  # `RateLimit: "api";r=0;t=55`


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds for which an answer asks to wait: at most 60; None if it does not say, or asks for over five minutes.

    `Retry-After` is a number of seconds or a date; a date is compared with the answer's own `Date`. Without it, `RateLimit`
    may say when the limit is lifted.

    Args:
        headers: of the answer, with names in lower case.

    >>> asked_wait({"retry-after": "7"}), asked_wait({"retry-after": "90"}), asked_wait({"retry-after": "86400"})
    (7.0, 60.0, None)
    >>> asked_wait({"retry-after": "Wed, 21 Oct 2015 07:28:09 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"})
    9.0
    >>> asked_wait({"ratelimit": '"api";r=0;t=55'})
    55.0
    """
    said = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(said):
        seconds = float(said)
    elif said:
        until, now = _time_of(said), _time_of(headers.get("date", ""))
        if until is None:
            return None
        seconds = until - (time.time() if now is None else now)
    elif reset := _RESET.search(headers.get("ratelimit", "")):
        seconds = float(reset[1])
    else:
        return None
    return min(max(seconds, 0.0), _LONGEST) if seconds <= _LONGEST_LIMIT else None


def _time_of(date: str) -> float | None:
    """A date of HTTP as seconds since 1970."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
