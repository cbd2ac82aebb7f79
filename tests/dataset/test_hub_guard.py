"""Requests of the client itself: the token stays at home, and answers are bounded. Lies are in tests/test_hub_lies.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import get_session

from newsdata.dataset.hub_guard import guarded_client
from newsdata.errors import HubError

HUB = "https://hub.example"


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", HUB)
    return get_session().event_hooks


def request(hooks: dict[str, list[Any]], address: str, method: str = "POST") -> Any:
    """A request with a token, after the hook has seen it."""
    made = get_session().build_request(method, address, headers={"authorization": "Bearer x"}, timeout=None)
    hooks["request"][-1](made)
    return made


def test_only_the_hub_gets_the_token(hooks: dict[str, list[Any]]) -> None:
    with guarded_client():
        assert request(hooks, f"{HUB}/api/x").headers["authorization"] == "Bearer x"
        for address in ("https://hub.example:444/", "https://huggingface.co/api", "https://hub.example.org/"):
            assert "authorization" not in request(hooks, address).headers
        for address in ("http://hub.example/", "http://127.0.0.1/"):
            with pytest.raises(HubError, match="not encrypted"):
                request(hooks, address)


def test_no_request_waits_for_ever(hooks: dict[str, list[Any]]) -> None:
    with guarded_client():
        assert all(request(hooks, f"{HUB}/api/x").extensions["timeout"].values())


def test_hooks_are_gone_afterwards(hooks: dict[str, list[Any]]) -> None:
    before = {kind: list(some) for kind, some in hooks.items()}
    with guarded_client(), guarded_client():
        assert hooks != before
    assert hooks == before


@pytest.mark.parametrize(
    ("method", "path", "is_bounded"), [("POST", "/x", True), ("GET", "/api/x", True), ("GET", "/datasets/x", False)]
)
def test_an_answer_is_bounded_but_no_download(
    hooks: dict[str, list[Any]], method: str, path: str, is_bounded: bool
) -> None:
    def raw(chunk_size: int | None = None) -> list[bytes]:
        return [bytes(40_000_000)] * 2

    with guarded_client():
        sent = get_session().build_request(method, HUB + path)
        answer = SimpleNamespace(status_code=200, headers={}, request=sent, iter_raw=raw)
        hooks["response"][-1](answer)
    if is_bounded:
        with pytest.raises(HubError, match="too much"):
            list(answer.iter_raw())
    else:
        assert answer.iter_raw is raw
