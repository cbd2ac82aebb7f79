"""Requests that read from the Hub. An answer is bounded in bytes and in time, and only the Hub itself gets the token.

Nothing here becomes a path, and no answer is unpacked: the Hub is asked for plain bytes, and others are refused.
"""

from __future__ import annotations

import json
import queue
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from ..errors import HubError

__all__ = [
    "Answer",
    "check_address",
    "check_plain",
    "endpoint",
    "is_same_place",
    "open_answer",
    "paced",
    "read_json",
    "read_pages",
]

_Value = TypeVar("_Value")

_FOR_HEADERS = 20.0  # seconds for the headers of an answer
_GRACE = 15.0  # seconds for a body, and one more for each _SLOWEST bytes of it
_SLOWEST = 20_000
_LARGEST_JSON = 1 << 26  # bytes of one answer
_LARGEST_LISTING = 1 << 28  # bytes of all pages of a listing
_LARGEST_ERROR = 1 << 16  # bytes that are read of an answer that is an error
_MOST_PAGES = 3_000
_MOST_REDIRECTS = 5
_ADDRESS = re.compile(
    r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?(/[!-~]*|\?[!-~]*)?", re.ASCII | re.IGNORECASE
)
_OF_ERRORS = ("x-error-code", "x-error-message", "retry-after", "ratelimit", "date")  # headers


class Answer(NamedTuple):
    """A good answer of the Hub, with its body not yet read.

    Attributes:
        status: 200 or another below 300.
        headers: of the last answer, in lower case.
        first: headers of the Hub's own answer, if it sent us to another host; else the same.
        body: gives the bytes, at most so many; more of them are an error.
    """

    status: int
    headers: Mapping[str, str]
    first: Mapping[str, str]
    body: Callable[[int], Iterator[bytes]]

    def next_page(self) -> str | None:
        """The address of the next page of a listing."""
        found = re.search(r'<([^<>]+)>\s*;\s*rel="?next"?', self.headers.get("link", "")[:10_000])
        return found[1] if found else None


def endpoint() -> str:
    """The address of the Hub, without a slash at its end."""
    from huggingface_hub.constants import ENDPOINT

    return ENDPOINT.rstrip("/")


def is_same_place(one: str, other: str) -> bool:
    """Whether two addresses have the same scheme, host and port.

    >>> is_same_place("https://hub.example/x", "https://hub.example:443"), is_same_place("https://a.b", "http://a.b")
    (True, False)
    """
    return _place_of(one) == _place_of(other)


def _place_of(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def check_address(address: str) -> str:
    """The address to which the Hub sends us, if it may be followed.

    Raises:
        HubError: it is no address of the web, or not encrypted although the Hub's own is.
    """
    try:
        good = len(address) <= 10_000 and _ADDRESS.fullmatch(address) is not None and urlsplit(address).port != 0
        secret = urlsplit(endpoint()).scheme == "https" and urlsplit(address).scheme != "https"
    except ValueError:  # a port above 65,535
        good = False
    if not good:
        raise HubError(f"the Hub sends us to something that is no address of the web: {address[:200]!r}")
    if secret:
        raise HubError(f"the Hub sends us to an address that is not encrypted: {address[:200]!r}")
    return address


def check_plain(headers: Mapping[str, str]) -> None:
    """Check that an answer is not compressed, which we never ask for: a few bytes can stand for very many.

    Raises:
        HubError: it is.
    """
    found = headers.get("content-encoding", "").strip().lower()
    if found not in ("", "identity"):
        raise HubError(f"the Hub sends a compressed answer ({found[:40]!r}), which it was asked not to do")


def paced(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The parts of a body, as long as they come fast enough and are not too many.

    Args:
        chunks: the parts.
        most: the largest number of bytes in all.

    Raises:
        HubError: there are more, or they come too slowly: the first 15 seconds are free, then it is 20 kB a second.

    >>> b"".join(paced([b"ab", b"c"], 3))
    b'abc'
    >>> list(paced([b"ab", b"c"], 2))
    Traceback (most recent call last):
    newsdata.errors.HubError: the Hub sends more than 2 bytes, which is too much
    """
    begin, seen = time.monotonic(), 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > most:
            raise HubError(f"the Hub sends more than {most:,} bytes, which is too much")
        if time.monotonic() - begin > _GRACE + seen / _SLOWEST:
            raise HubError(f"the Hub sends too slowly: {seen:,} bytes in {time.monotonic() - begin:.0f} seconds")
        yield chunk


@contextmanager
def open_answer(
    address: str, token: str | bool | None, *, headers: Mapping[str, str] | None = None
) -> Iterator[Answer]:
    """The answer of the Hub to a GET request.

    Redirects are followed, a few of them. Another host than the Hub gets no token.

    Args:
        address: on the Hub.
        token: of the Hub; None takes the one that `huggingface_hub` finds, False none.
        headers: more headers.

    Raises:
        HubError: the answer breaks a rule of this module.
        Exception: what `huggingface_hub` raises where it refuses or cannot be reached; for `attempt` to translate.
    """
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    sent = (
        build_hf_headers(token=token, library_name="newsdata") | {"accept-encoding": "identity"} | dict(headers or {})
    )
    first: Mapping[str, str] | None = None
    for _ in range(_MOST_REDIRECTS + 1):
        if not is_same_place(address, endpoint()):
            sent = {name: value for name, value in sent.items() if name.lower() != "authorization"}
        answer = _headers_in_time(address, sent)
        try:
            if first is None or is_same_place(address, endpoint()):
                first = answer.headers
            if answer.has_redirect_location:
                address = check_address(urljoin(address, answer.headers["location"][:10_001]))
                continue
            if answer.status_code not in (200, 206):
                _raise_refusal(answer)
            check_plain(answer.headers)
            yield Answer(answer.status_code, answer.headers, first, partial(_body_of, answer))
            return
        finally:
            answer.close()
    raise HubError("the Hub sends us from one address to the next, without end")


def _body_of(answer: Any, most: int) -> Iterator[bytes]:
    return paced(answer.iter_raw(), most)


def _headers_in_time(address: str, headers: Mapping[str, str]) -> Any:
    """Send a request and wait for the headers of the answer; its body is not read.

    The client only bounds the time between two bytes. So the request runs in a thread that can be left behind.

    Raises:
        HubError: they do not come in time.
    """
    from huggingface_hub import constants, get_session

    client = get_session()
    request = client.build_request("GET", address, headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT)
    found: queue.SimpleQueue[Any] = queue.SimpleQueue()
    is_late = threading.Event()

    def send() -> None:
        try:
            answer = client.send(request, stream=True, follow_redirects=False)
        except BaseException as error:
            found.put(error)
            return
        found.put(answer)
        if is_late.is_set():
            answer.close()

    threading.Thread(target=send, daemon=True).start()
    try:
        answer = found.get(timeout=_FOR_HEADERS)
    except queue.Empty:
        is_late.set()
        raise HubError(f"the Hub gave no whole answer within {_FOR_HEADERS:g} seconds") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _raise_refusal(answer: Any) -> None:
    """Raise the error of `huggingface_hub` for an answer, made from its first bytes."""
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    data = b""
    if answer.headers.get("content-encoding", "identity") == "identity":
        for chunk in paced(answer.iter_raw(), 1 << 40):
            data += chunk
            if len(data) > _LARGEST_ERROR:
                break
    try:
        said = str(msgspec.json.decode(data, type=dict[str, Any]).get("error", ""))
    except (msgspec.MsgspecError, RecursionError):
        said = "" if b"<html" in data[:1000].lower() else data[:_LARGEST_ERROR].decode("utf-8", "replace")
    headers = {name: answer.headers[name] for name in _OF_ERRORS if name in answer.headers}
    content = json.dumps({"error": said} if said else {}).encode()
    hf_raise_for_status(type(answer)(answer.status_code, headers=headers, content=content, request=answer.request))
    raise HubError(f"the Hub answers with status {answer.status_code}, which is no answer to this request")


def read_json(path: str, token: str | bool | None, shape: type[_Value]) -> _Value:
    """The JSON at a path of the Hub's API.

    Args:
        path: for example "/api/datasets/lab/finews/refs".
        token: as for `open_answer`.
        shape: the type that it must have, with bounds, as `msgspec` writes them. Other keys are ignored.

    Raises:
        HubError: it has another type, or as for `open_answer`.
        Exception: as for `open_answer`; `json.JSONDecodeError` if it is no JSON.
    """
    with open_answer(endpoint() + path, token) as answer:
        return _decoded(b"".join(answer.body(_LARGEST_JSON)), shape)


def read_pages(path: str, token: str | bool | None, entry: type[_Value]) -> list[_Value]:
    """All entries of a listing of the Hub's API, which comes in pages.

    Args:
        path, token: as for `read_json`.
        entry: the type of an entry.

    Raises:
        HubError, Exception: as for `read_json`; or the pages have no end, or are on another host.
    """
    address: str | None = endpoint() + path
    found: list[_Value] = []
    seen: set[str] = set()
    left = _LARGEST_LISTING
    while address is not None:
        seen.add(address)
        with open_answer(address, token) as answer:
            data = b"".join(answer.body(min(left, _LARGEST_JSON)))
            following = answer.next_page()
        page = _decoded(data, list[entry])  # type: ignore[valid-type]
        found += page
        left -= len(data)
        address = None if following is None else check_address(urljoin(address, following))
        if address is None:
            break
        if not is_same_place(address, endpoint()):
            raise HubError("the next page of the Hub's listing is on another host")
        if not page or address in seen or len(seen) == _MOST_PAGES:
            raise HubError("the Hub's listing has no end")
    return found


def _decoded(data: bytes, shape: type[_Value]) -> _Value:
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError as error:
        raise HubError(
            f"the Hub's answer is not of the form that its client expects ({error})",
            hint="check HF_ENDPOINT, and that newsdata is up to date",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise json.JSONDecodeError(str(error), "", 0) from None
    except RecursionError:
        raise HubError("the Hub's answer is nested too deeply") from None
