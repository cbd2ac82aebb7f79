"""Requests that read from the Hub: addresses that may be followed, bounds, pages. Lies are in tests/test_hub_lies.py."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from newsdata.dataset import hub_http
from newsdata.dataset.hub_http import Answer, check_address, check_plain, is_same_place, paced, read_json, read_pages
from newsdata.errors import HubError


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://hub.example/a", "https://HUB.example:443/b", True),
        ("https://hub.example", "http://hub.example", False),
        ("https://hub.example", "https://hub.example:444", False),
        ("https://hub.example", "https://hub.example.org", False),
        ("https://hub.example", "https://hub.example@other.org", False),
    ],
)
def test_a_place_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert is_same_place(one, other) is same


@pytest.mark.parametrize(
    "address",
    ["", "x", "//", "file:///etc/passwd", "ftp://a/b", "https://", "https://a:b@c/", "https://a:99999/", "https://a/\n",
     "https://a/é", "https://a/" + "x" * 20_000, "http://a/"],
)  # fmt: skip
def test_addresses_that_are_not_followed(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "https://hub.example")
    assert check_address("https://cdn.example:8443/a?b=c%20d") == "https://cdn.example:8443/a?b=c%20d"
    with pytest.raises(HubError, match="the Hub sends us to"):
        check_address(address)


def test_a_hub_without_encryption_may_name_such_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:5000")
    assert check_address("http://[::1]:80/a") == "http://[::1]:80/a"


def test_only_plain_answers() -> None:
    check_plain({})
    check_plain({"content-encoding": "identity"})
    with pytest.raises(HubError, match="compressed answer"):
        check_plain({"content-encoding": "gzip"})


def test_a_body_that_comes_too_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 14.0, 16.0, 16.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    with pytest.raises(HubError, match=r"too slowly: 2 bytes in 16 seconds"):
        list(paced([b"a", b"b"], 10))


def test_a_large_body_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 14.0, 60.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    assert len(b"".join(paced([b"a", b"b" * 1_000_000], 2_000_000))) == 1_000_001


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[object, str | None]]:
    """What the Hub answers at each address: JSON, and the header Link."""
    found: dict[str, tuple[object, str | None]] = {}

    @contextmanager
    def opened(address: str, token: object) -> Iterator[Answer]:
        data, link = found[address]
        text = data if isinstance(data, bytes) else json.dumps(data).encode()
        headers = {} if link is None else {"link": link}
        yield Answer(200, headers, headers, lambda most: paced([text], most))

    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "https://hub")
    monkeypatch.setattr(hub_http, "open_answer", opened)
    return found


def test_pages_are_read_to_the_last(pages: dict[str, tuple[object, str | None]]) -> None:
    pages["https://hub/x"] = [1, 2], '<https://hub/x?p=2>; rel="next"'
    pages["https://hub/x?p=2"] = [3], '</x?p=3>; rel="next"'
    pages["https://hub/x?p=3"] = [4], '<https://hub/x?p=1>; rel="prev"'
    assert read_pages("/x", None, int) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("page", "following", "said"),
    [
        ([1], "https://hub/x", "has no end"),
        ([], "https://hub/y", "has no end"),
        ([1], "https://other/y", "on another host"),
        ([1], "file:///etc", "no address of the web"),
        (["a"], "https://hub/y", "not of the form"),
    ],
)
def test_pages_that_are_refused(
    pages: dict[str, tuple[object, str | None]], page: list[object], following: str, said: str
) -> None:
    pages["https://hub/x"] = page, f'<{following}>; rel="next"'
    with pytest.raises(HubError, match=said):
        read_pages("/x", None, int)


def test_json_of_another_form(pages: dict[str, tuple[object, str | None]]) -> None:
    for data, kind in ((b'{"a":' * 100_000, HubError), (b"<html>", json.JSONDecodeError), (b'{"a": "b"}', HubError)):
        pages["https://hub/x"] = data, None
        with pytest.raises(kind):
            read_json("/x", None, dict[str, int])
