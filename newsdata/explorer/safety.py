"""What every request must fulfil, and what every response says to the browser.

The page shows other people's text on a machine that may hold private text. So it answers only its own names (another website
that lets its name lead to this machine gets 421), only reads, and forbids the browser everything but its own files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ASSET_POLICY", "POLICY", "Guard", "loopback_names"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""The content security policy of pages: no inline script or style, nothing from elsewhere."""

ASSET_POLICY = "default-src 'none'; sandbox"
"""The policy of pictures of a version: an SVG file may do nothing at all."""

_HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-cache",
}
_REASONS = {
    400: "The request is not well-formed.",
    403: "Another website asked for this; open the page's address yourself.",
    405: "This page only reads: GET and HEAD.",
    414: "The address is too long.",
    421: "This address is not one of the page's own names. Start newsdata with --allow-host HOST:PORT if it should be.",
}
_MAX_ADDRESS = 16_000


def loopback_names(port: int) -> frozenset[str]:
    """The names by which a server on this machine may be called.

    >>> sorted(loopback_names(8765))
    ['127.0.0.1:8765', '[::1]:8765', 'localhost:8765']
    """
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


class Guard:
    """Wraps an application: refuses what is not for it, and adds the headers that protect the reader."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":  # no web sockets
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        status = self._refusal(scope)

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                _protect(message)
            await send(message)

        if status:
            await _refuse(status, scope, send_protected)
        else:
            await self._app(scope, receive, send_protected)

    def _refusal(self, scope: Scope) -> int | None:
        """The status with which a request is refused; None if it is answered."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        hosts = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return 421
        if scope["method"] not in ("GET", "HEAD"):
            return 405
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _MAX_ADDRESS:
            return 414
        fetch = {name: value.decode("latin-1").lower() for name, value in headers if name.startswith(b"sec-fetch-")}
        if fetch.get(b"sec-fetch-site") in ("cross-site", "same-site"):
            is_visit = fetch.get(b"sec-fetch-mode") == "navigate" and fetch.get(b"sec-fetch-dest") == "document"
            if not is_visit:
                return 403
        return None


def _protect(message: MutableMapping[str, Any]) -> None:
    there = {name.lower() for name, _ in message["headers"]}
    message["headers"] = [
        *message["headers"],
        *((name.encode(), value.encode()) for name, value in _HEADERS.items() if name.encode() not in there),
    ]


async def _refuse(status: int, scope: Scope, send: Send) -> None:
    body = f"{_REASONS[status]}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status == 405:
        headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
