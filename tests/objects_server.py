"""An object store for tests: moto's S3, behind a server of ours that fails in the ways that stores fail.

::

    with object_store() as store:                     # the environment points to it meanwhile
        objects = Objects(url=f"{store.bucket()}/x")  # a new, empty bucket
        store.faults = Faults(fail_every=20)          # from now on; Faults() behaves well
        store.requests.clear()
        ...
        assert store.requests == [...]                # what was asked: "GET /bucket/x/a.txt"
        upload(folder, objects)                       # and `download` gives {name: bytes}

`gs://` is served, too: this server translates the few headers that differ. `object_store()` takes about two seconds, so
share one in a module (a fixture of `scope="module"`), with a new bucket for each test.
"""

from __future__ import annotations

import hashlib
import http.client
import http.server
import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from newsdata.objects import Objects

__all__ = ["Faults", "ObjectStoreServer", "Request", "download", "object_store", "upload"]

_HOP = {"connection", "transfer-encoding", "content-length", "server", "date", "keep-alive"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request to the store: its method, its path with the query (decoded), and how many bytes were answered."""

    method: str
    path: str
    answered: int

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_list(self) -> bool:
        return self.method == "GET" and "list-type=2" in self.path


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How the store fails; without arguments it does not.

    Attributes:
        fail_every: every so many requests, one is refused with status 500 and does nothing. 0 is never.
        lose_every: every so many requests that write, one is done, but the connection ends without an answer.
        hide_new: new objects are listed only so many seconds after they were written.
        ignore_conditions: If-None-Match and If-Match are ignored.
        cut: answers to GET for a path with this text end after half of their bytes.
        listing: makes the answer to a request for a list, instead of the store; it is given the path.
        meanwhile: called before a request is passed on, with method and path; it may change the store.
    """

    fail_every: int = 0
    lose_every: int = 0
    hide_new: float = 0
    ignore_conditions: bool = False
    cut: str = ""
    listing: Callable[[str], str] | None = None
    meanwhile: Callable[[str, str], None] | None = None


@dataclass(kw_only=True)
class ObjectStoreServer:
    """The running store.

    Attributes:
        address: http://127.0.0.1:PORT of the server with the faults.
        moto: host and port of moto itself, which has no faults.
        faults: how it fails from now on.
        requests: what was asked so far; clear it as you like.
    """

    address: str
    moto: tuple[str, int]
    faults: Faults = field(default_factory=Faults)
    requests: list[Request] = field(default_factory=list)
    seen: int = 0
    writes: int = 0
    written: dict[str, float] = field(default_factory=dict)
    generations: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def bucket(self, scheme: str = "s3", name: str = "") -> str:
        """The address of a new, empty bucket: s3://bucket-1a2b3c. Faults end."""
        self.faults = Faults()
        name = name or f"bucket-{secrets.token_hex(6)}"  # moto keeps one state for all servers of a process
        assert self.ask("PUT", f"/{name}")[0] == 200
        return f"{scheme}://{name}"

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask moto itself, without faults: `ask("PUT", "/bucket-1/a.txt", b"…")`."""
        connection = http.client.HTTPConnection(*self.moto, timeout=60)
        try:
            signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
            connection.putrequest(method, path, skip_host=False, skip_accept_encoding=True)
            for name, value in {**signed, **(headers or {}), "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        pass

    def _serve(self) -> None:
        store, faults = self.server.store, self.server.store.faults
        raw, mark, query = self.path.partition("?")
        path = quote(unquote(raw)) + mark + query  # Google's clients write %2F and %2D
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_write = self.command in ("PUT", "POST", "DELETE")
        with store.lock:
            store.seen += 1
            store.writes += is_write
            fails = faults.fail_every and store.seen % faults.fail_every == 0
            loses = is_write and faults.lose_every and store.writes % faults.lose_every == 0
        if fails:
            return self._answer(500, {}, b"<Error><Code>InternalError</Code></Error>")
        if faults.meanwhile:
            faults.meanwhile(self.command, path)
        if faults.listing and "list-type=2" in path:
            return self._answer(200, {"content-type": "application/xml"}, faults.listing(path).encode())
        status, headers, data = store.ask(self.command, path, body, self._translated(faults))
        if self.command == "PUT" and status == 200:
            with store.lock:
                store.written.setdefault(unquote(path.partition("?")[0]), time.monotonic())
        if "etag" in headers:
            generation = str(int(hashlib.md5(headers["etag"].encode()).hexdigest()[:12], 16) + 1)
            store.generations[generation] = headers["etag"]
            headers["x-goog-generation"] = generation
        if "list-type=2" in path and faults.hide_new:
            data = re.sub(rb"<Contents>.*?</Contents>", self._if_old, data, flags=re.DOTALL)
            data = re.sub(rb"<CommonPrefixes>.*?</CommonPrefixes>", self._if_old_folder, data, flags=re.DOTALL)
        if loses:
            self.close_connection = True
            self.connection.close()
            return None
        return self._answer(status, headers, data)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve

    def _translated(self, faults: Faults) -> dict[str, str]:
        """The headers of the request, in the words of S3."""
        headers = {key.lower(): value for key, value in self.headers.items() if key.lower() not in _HOP | {"host"}}
        headers.pop("authorization", None)
        if "x-goog-copy-source" in headers:
            headers["x-amz-copy-source"] = headers.pop("x-goog-copy-source")
        if (generation := headers.pop("x-goog-if-generation-match", None)) is not None:
            known = self.server.store.generations.get(generation, '"none"')
            headers |= {"if-none-match": "*"} if generation == "0" else {"if-match": known}
        if faults.ignore_conditions:
            headers = {key: value for key, value in headers.items() if key not in ("if-match", "if-none-match")}
        return headers

    def _if_old(self, match: re.Match[bytes]) -> bytes:
        key = re.search(rb"<Key>(.*?)</Key>", match[0])
        path = f"{unquote(self.path.partition('?')[0]).rstrip('/')}/{key[1].decode() if key else ''}"
        age = time.monotonic() - self.server.store.written.get(path, 0)
        return match[0] if age >= self.server.store.faults.hide_new else b""

    def _if_old_folder(self, match: re.Match[bytes]) -> bytes:
        name = re.search(rb"<Prefix>(.*?)</Prefix>", match[0])
        below = f"{unquote(self.path.partition('?')[0]).rstrip('/')}/{name[1].decode() if name else ''}"
        store = self.server.store
        ages = [time.monotonic() - at for path, at in store.written.items() if path.startswith(below)]
        return match[0] if max(ages, default=store.faults.hide_new) >= store.faults.hide_new else b""

    def _answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.server.store.requests.append(Request(method=self.command, path=unquote(self.path), answered=len(data)))
        size = headers.get("content-length") if self.command == "HEAD" else None
        self.send_response_only(status)
        for key, value in headers.items():
            if key not in _HOP:
                self.send_header(key, value)
        self.send_header("Content-Length", size or str(len(data)))
        self.end_headers()
        if self.server.store.faults.cut and self.command == "GET" and self.server.store.faults.cut in self.path:
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
        elif self.command != "HEAD":
            self.wfile.write(data)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100
    store: ObjectStoreServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that went away, and connections that were cut on purpose, are no news."""


@contextmanager
def object_store() -> Iterator[ObjectStoreServer]:
    """A running object store; the environment points to it meanwhile."""
    moto = pytest.importorskip("moto.server")
    pytest.importorskip("obstore")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    behind = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    behind.start()
    host, port = behind.get_host_and_port()
    front = _Server(("127.0.0.1", 0), _Handler)
    store = ObjectStoreServer(address=f"http://127.0.0.1:{front.server_address[1]}", moto=(host, port))
    front.store = store
    threading.Thread(target=front.serve_forever, args=(0.05,), daemon=True).start()
    environment = {
        "AWS_ENDPOINT_URL": store.address,
        "AWS_ACCESS_KEY_ID": "test-key",
        "AWS_SECRET_ACCESS_KEY": "test-secret-of-ours",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "GOOGLE_BASE_URL": store.address,
        "GOOGLE_BEARER_TOKEN": "test-token-of-ours",
    }
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            yield store
    finally:
        front.shutdown()
        front.server_close()
        behind.stop()


def upload(folder: Path, objects: Objects) -> None:
    """Put every file of a folder into the store; locks are left out."""
    with ThreadPoolExecutor(8) as pool:
        files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.endswith("lock")]
        list(pool.map(lambda file: objects.put(file.relative_to(folder).as_posix(), file), files))


def download(objects: Objects, but: str = "-") -> dict[str, bytes]:
    """Every object by its name; those whose names end with `but` are left out."""
    with ThreadPoolExecutor(8) as pool:
        names = [name for name, _ in objects.names() if not name.endswith(but)]
        found = list(pool.map(lambda name: objects.read(name, 1 << 30), names))
    return {name: data for name, data in zip(names, found, strict=True) if data is not None}
