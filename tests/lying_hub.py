"""A hub that lies: the hub of `hub_server`, of which one kind of answer is replaced by a lie.

Beside it runs another host, to which lies send the client. It notes every request, so that a test can see that the token
never went there.
"""

from __future__ import annotations

import json
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .hub_routes import Handler
from .hub_server import Hub

__all__ = ["ERASING", "READING", "SILENT", "WRITING", "Lie", "LyingHub"]

RESOLVE = r"^(GET|HEAD) /datasets/.*/resolve/"
SHARD = rf"{RESOLVE}.*\.parquet"
MANIFEST = rf"{RESOLVE}.*/manifest\.json"
INFO = r"^GET /api/datasets/[^/]+/[^/]+(/revision/.*)?$"
REFS = r"^GET .*/refs$"
TREE = r"^GET .*/tree/"
PREUPLOAD, BATCH, COMMIT = r"/preupload/", r"/objects/batch$", r"/commit/main$"
MEGABYTES = b"x" * 10_000_000


@dataclass
class Told:
    """An answer; the lie changes it. `length` None sends no Content-Length, `chunks` replaces the data."""

    status: int
    data: bytes
    headers: dict[str, str]
    length: int | None
    chunks: Iterable[bytes] | None
    hub: LyingHub
    handler: Handler

    @property
    def json(self) -> Any:
        """The data as JSON."""
        return json.loads(self.data)

    def say(self, value: Any) -> None:
        """Answer with other JSON, or with these bytes."""
        self.data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.length = len(self.data)


@dataclass(frozen=True)
class Lie:
    """A lie in the answers to requests whose "METHOD /path" holds the regex `match`."""

    name: str
    match: str
    tell: Callable[[Told], None]


class LyingHandler(Handler):
    hub: LyingHub

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        lie = self.hub.lie
        if lie is None or not re.search(lie.match, f"{self.command} {self.place}"):
            super()._send(status, data, headers)
            return
        told = Told(status, data, dict(headers), len(data), None, self.hub, self)
        lie.tell(told)
        self.close_connection = True
        lines = [f"HTTP/1.1 {told.status} Fine", *(f"{name}: {value}" for name, value in told.headers.items())]
        if told.length is not None:
            lines.append(f"Content-Length: {told.length}")
        lines.append("Connection: close")
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))
        if self.command != "HEAD":
            for chunk in [told.data] if told.chunks is None else told.chunks:
                self.wfile.write(chunk)


class LyingHub(Hub):
    """The hub, and the other host at `other`, whose requests are in `heard`: the whole of each, as text."""

    lie: Lie | None = None

    def __init__(self, root: Path) -> None:
        super().__init__(root, handler=LyingHandler)
        self.heard: list[str] = []
        heard, hub = self.heard, self

        class Other(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size) if size < 1_000_000 else b""
                heard.append(f"{self.command} {self.path}\n{self.headers}\n{body[:1000]!r}")
                data = hub.content_at(urlsplit(self.path).path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_HEAD = do_POST = do_PUT = _answer

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._other = ThreadingHTTPServer(("127.0.0.1", 0), Other)
        self._other.daemon_threads = True
        self.other = f"http://127.0.0.1:{self._other.server_address[1]}"
        self._beside = threading.Thread(target=self._other.serve_forever, args=(0.05,), daemon=True)
        self._beside.start()

    def stop(self) -> None:
        super().stop()
        self._other.shutdown()
        self._other.server_close()

    def content_at(self, path: str) -> bytes:
        """What the other host answers: the bytes of a file where one is asked for, as a CDN would."""
        found = self.object(path.rpartition("/")[2])
        return found.read_bytes() if found.is_file() else b"{}"


# ---------------------------------------------------------------------------------------------- kinds of lies


def _header(name: str, value: Any) -> Callable[[Told], None]:
    def tell(told: Told) -> None:
        told.headers = {key: old for key, old in told.headers.items() if key.lower() != name.lower()}
        if value is not None:
            told.headers[name] = value(told) if callable(value) else value

    return tell


def _says(value: Any) -> Callable[[Told], None]:
    return lambda told: told.say(value(told.json) if callable(value) else value)


def _with(**fields: Any) -> Callable[[Told], None]:
    """JSON with other fields."""
    return _says(lambda data: data | fields)


def _status(status: int, headers: dict[str, str] | None = None, data: bytes = b"") -> Callable[[Told], None]:
    def tell(told: Told) -> None:
        told.status, told.headers = status, dict(headers or {})
        told.say(data)

    return tell


def _sends_to(address: str | Callable[[Told], str]) -> Callable[[Told], None]:
    """A redirect; the headers of the answer stay, as on the Hub."""

    def tell(told: Told) -> None:
        told.status = 302
        told.headers["Location"] = address(told) if callable(address) else address
        told.say(b"")

    return tell


def _body(chunks: Callable[[Told], Iterable[bytes]], length: int | None = None) -> Callable[[Told], None]:
    def tell(told: Told) -> None:
        told.length, told.chunks = length, chunks(told)

    return tell


def _dripping(told: Told) -> Iterator[bytes]:
    for byte in told.data:
        yield bytes([byte])
        time.sleep(0.1)


@cache
def _gigabyte() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return 16 * (packer.compress(bytes(1 << 26)) + packer.flush())


def _gzipped(told: Told) -> None:
    told.headers["Content-Encoding"] = "gzip"
    told.say(_gigabyte())


def _dripping_headers(told: Told) -> None:
    told.handler.wfile.write(b"HTTP/1.1 200 Fine\r\nX-Long: ")
    for _ in range(400):
        told.handler.wfile.write(b"x")
        time.sleep(0.1)


def _silent(told: Told) -> None:
    time.sleep(45)


def _length(change: Callable[[int], int]) -> Callable[[Told], None]:
    def tell(told: Told) -> None:
        told.length = change(len(told.data))

    return tell


def _other_bytes(told: Told) -> None:
    told.data = told.data[:-1] + bytes([told.data[-1] ^ 1])


def _longer(told: Told) -> None:
    told.say(told.data + b"more")


def _tree(change: Callable[[list[Any]], Any]) -> Callable[[Told], None]:
    return _says(change)


def _next_page(address: Callable[[Told], str]) -> Callable[[Told], None]:
    return _header("Link", lambda told: f'<{address(told)}>; rel="next"')


_numbers = count()
_FILE = {"type": "file", "oid": "0" * 40, "size": 1, "path": "../../x"}


def _itself(told: Told) -> str:
    return f"{told.hub.url}{told.handler.path}"


def _ever_new(told: Told) -> str:
    return f"{told.hub.url}{urlsplit(told.handler.path).path}?recursive=true&cursor=0&n={next(_numbers)}"


def _elsewhere(told: Told) -> str:
    return f"{told.hub.other}/{told.headers.get('ETag', '').strip(chr(34))}"


def _refs(kind: str, change: Callable[[list[Any]], Any]) -> Callable[[Told], None]:
    return _says(lambda data: data | {kind: change(data[kind])})


def _one_more_tag(**fields: Any) -> Callable[[Told], None]:
    return _refs("tags", lambda tags: [*tags, tags[0] | fields])


def _endless_error(told: Told) -> None:
    told.status, told.length, told.chunks = 500, None, repeat(MEGABYTES)


def _uploads(actions: Any) -> Callable[[Told], None]:
    """Other addresses for an upload."""
    return _says(lambda data: data | {"objects": [one | {"actions": actions} for one in data["objects"]]})


def _uploads_elsewhere(told: Told) -> None:
    _uploads({name: {"href": f"{told.hub.other}/{name}"} for name in ("upload", "verify")})(told)


_BAD_COMMITS: dict[str, str] = {
    "up": "../../x",
    "root": "/etc",
    "empty": "",
    "long": "a" * 10_000_000,
    "words": "main",
    "other": "0" * 40,
}
_BAD_ETAGS = {
    "slashes": '"a/b/c"', "up": '"../../../x"', "nul": '"a\0b"', "long": f'"{"a" * 5000}"', "empty": '""', "none": None,
    "other": f'"{"0" * 64}"',
}  # fmt: skip

_NO_TEXTS: tuple[Any, ...] = (7, None, ["a"], {"a": 1})

READING = [
    *(Lie(f"sha {name}", INFO, _with(sha=value)) for name, value in _BAD_COMMITS.items()),
    *(Lie(f"sha {type(value).__name__}", INFO, _with(sha=value)) for value in _NO_TEXTS),
    *(
        Lie(f"X-Repo-Commit {name}", RESOLVE, _header("X-Repo-Commit", value[:60_000]))
        for name, value in _BAD_COMMITS.items()
    ),
    Lie("X-Repo-Commit missing", RESOLVE, _header("X-Repo-Commit", None)),
    *(Lie(f"ETag {name}", RESOLVE, _header("ETag", value)) for name, value in _BAD_ETAGS.items()),
    *(Lie(f"X-Linked-Etag {name}", RESOLVE, _header("X-Linked-Etag", value)) for name, value in _BAD_ETAGS.items()),
    *(Lie(f"X-Linked-Size {value}", RESOLVE, _header("X-Linked-Size", value)) for value in ("1", "-5", "9" * 30, "x")),
    Lie("X-Xet-Hash", SHARD, _header("X-Xet-Hash", "0" * 64)),
    Lie("X-Xet-Refresh-Route", SHARD, _header("X-Xet-Refresh-Route", _elsewhere)),
    Lie("Content-Length too long", RESOLVE, _length(lambda size: size + 10)),
    Lie("Content-Length too short", RESOLVE, _length(lambda size: size // 2)),
    Lie("Content-Length missing", RESOLVE, _body(lambda told: [told.data])),
    Lie("Content-Length negative", RESOLVE, _length(lambda _: -1)),
    Lie("Content-Length huge", RESOLVE, _length(lambda _: 10**30)),
    Lie("Content-Range", SHARD, _header("Content-Range", "bytes 0-0/9")),
    Lie("Content-Range of words", SHARD, _header("Content-Range", "all")),
    Lie("a longer file", SHARD, _longer),
    Lie("a longer manifest", MANIFEST, _longer),
    Lie("an endless file", SHARD, _body(lambda _: repeat(MEGABYTES))),
    Lie("an endless manifest", MANIFEST, _body(lambda _: repeat(MEGABYTES))),
    Lie("endless JSON", REFS, _body(lambda _: repeat(b" " * 1_000_000))),
    Lie("a dripping file", SHARD, _body(_dripping)),
    Lie("a dripping manifest", MANIFEST, _body(_dripping)),
    Lie("dripping JSON", INFO, _body(_dripping)),
    Lie("dripping headers", MANIFEST, _dripping_headers),
    Lie("a gzip bomb for a file", SHARD, _gzipped),
    Lie("a gzip bomb for a manifest", MANIFEST, _gzipped),
    Lie("a gzip bomb for JSON", REFS, _gzipped),
    Lie("other bytes of a file", SHARD, _other_bytes),
    Lie("other bytes of a manifest", MANIFEST, _other_bytes),
    Lie("a file elsewhere", RESOLVE, _sends_to(_elsewhere)),
    Lie("JSON elsewhere", INFO, _sends_to(_elsewhere)),
    Lie("references elsewhere", REFS, _sends_to(_elsewhere)),
    Lie("redirects without end", RESOLVE, _sends_to(_itself)),
    Lie("redirects of JSON without end", REFS, _sends_to(_itself)),
    *(
        Lie(f"redirect to {address[:20]!r}", match, _sends_to(address))
        for match in (RESOLVE, REFS)
        for address in (
            "file:///etc/passwd",
            "ftp://127.0.0.1/x",
            "",
            "http://",
            "//",
            "http://127.0.0.1:99999/",
            "http://a:b@c/",
        )
    ),
    *(
        Lie(f"reference {name!r}"[:40], REFS, _one_more_tag(name=name))
        for name in ("v\x1b[31m", "../../x", "", "v9" * 1_000, "v1.0.0", 7, None, ["v2.0.0"])
    ),
    *(
        Lie(f"target {value!r}"[:40], REFS, _one_more_tag(name="v9.0.0", targetCommit=value))
        for value in ("../../x", "", 7, None, {"a": 1})
    ),
    Lie("thousands of tags", REFS, _refs("tags", lambda t: t + [{**t[0], "name": f"x{n}"} for n in range(50_000)])),
    Lie("no tags", REFS, _says({"branches": []})),
    *(
        Lie(f"{what} for {kind}", match, _says(value))
        for kind, match in (("facts", INFO), ("references", REFS))
        for what, value in {
            "deep JSON": b"[" * 1_000_000,
            "NaN": b'{"sha": NaN, "tags": NaN}',
            "a list": [],
            "a number": 5,
            "null": None,
            "HTML": b"<html>hello</html>",
            "no text": b"\xff\xfe",
            "nothing": b"",
        }.items()
    ),
    *(
        Lie(f"{status} at {kind}", match, _status(status, {"X-Error-Message": "no \x1b[31m\u202e" + "x" * 3000}))
        for status in (304, 401, 403, 404, 409, 412, 416, 429, 500, 503)
        for kind, match in (("facts", INFO), ("references", REFS), ("files", SHARD), ("manifest", MANIFEST))
    ),
    *(
        Lie(f"Retry-After {wait}", match, _status(429, {"Retry-After": wait}))
        for wait in ("-5", "soon", "3600", "1000000000")
        for match in (REFS, SHARD)
    ),
    *(
        Lie(f"an error of {what}", match, _status(404, {"Content-Type": "application/json"}, data))
        for match in (REFS, RESOLVE)
        for what, data in {
            "controls": json.dumps({"error": "\x1b[31m\0\u202e"}).encode(),
            "megabytes": MEGABYTES,
            "a list": b"[1]",
            "deep JSON": b'{"error":' * 100_000,
            "wrong types": b'{"error": {"a": [1]}, "errors": 5}',
        }.items()
    ),
    Lie("an endless error", REFS, _endless_error),
    Lie("a warning", RESOLVE, _header("X-HF-Warning", "topic; \x1b[31m hello")),
    Lie("cookies", RESOLVE, _header("Set-Cookie", "a=" + "b" * 4000)),
]

WRITING = [
    *(Lie(f"sha {name}", INFO, _with(sha=value)) for name, value in _BAD_COMMITS.items()),
    *(Lie(f"private {value!r}", INFO, _with(private=value)) for value in ("no", *_NO_TEXTS)),
    *(
        Lie(f"tree with {name}", TREE, _tree(change))
        for name, change in {
            "a path up": lambda tree: [*tree, _FILE],
            "an absolute path": lambda tree: [*tree, _FILE | {"path": "/etc/passwd"}],
            "a path twice": lambda tree: [*tree, *tree],
            "very many": lambda tree: [*tree, *(_FILE | {"path": f"x/{n}"} for n in range(50_000))],
            "a path of controls": lambda tree: [*tree, _FILE | {"path": "articles/\x1b[31m\n"}],
            "a number as path": lambda tree: [*tree, _FILE | {"path": 7}],
            "a size below 0": lambda tree: [*tree, _FILE | {"path": "x", "size": -1}],
            "a text as size": lambda tree: [*tree, _FILE | {"path": "x", "size": "1"}],
            "no hash": lambda tree: [*tree, _FILE | {"path": "x", "oid": "../x"}],
            "a list as lfs": lambda tree: [*tree, _FILE | {"path": "x", "lfs": [1]}],
            "a hash that is none": lambda tree: [*tree, _FILE | {"path": "x", "lfs": {"oid": "../x", "size": 1}}],
            "numbers": lambda _: [1, 2],
            "a map": lambda tree: {"tree": tree},
        }.items()
    ),
    Lie("a page after the page", TREE, _next_page(_itself)),
    Lie("pages without end", TREE, _next_page(_ever_new)),
    Lie("the next page elsewhere", TREE, _next_page(lambda told: f"{told.hub.other}/tree")),
    Lie("a next page that is a file", TREE, _next_page(lambda _: "file:///etc/passwd")),
    Lie("a tree elsewhere", TREE, _sends_to(lambda told: f"{told.hub.other}/tree")),
    *(
        Lie(f"{what} for {kind}", match, _says(value))
        for kind, match in (("tree", TREE), ("preupload", PREUPLOAD), ("batch", BATCH), ("commit", COMMIT))
        for what, value in {
            "deep JSON": b"[" * 1_000_000,
            "a list": [],
            "a list of numbers": [1],
            "a number": 5,
            "null": None,
            "HTML": b"<html>hello</html>",
            "no text": b"\xff\xfe",
            "nothing": b"",
            "an empty map": {},
        }.items()
    ),
    *(
        Lie(f"preupload with {name}", PREUPLOAD, _says({"files": files}))
        for name, files in {
            "numbers": [1],
            "a map": {},
            "text": "x",
            "other paths": [{"path": "../x", "uploadMode": "lfs", "shouldIgnore": False}],
            "another mode": [{"path": "README.md", "uploadMode": "../x", "shouldIgnore": "no", "oid": 7}],
        }.items()
    ),
    *(
        Lie(f"upload to {name}", BATCH, _uploads(to))
        for name, to in {
            "a file": {"upload": {"href": "file:///etc/passwd"}},
            "a number": {"upload": {"href": 5}},
            "a list": [1],
            "no host": {"upload": {"href": "http://"}},
            "many parts": {"upload": {"href": "http://127.0.0.1:1/", "header": {"chunk_size": "0"}}},
        }.items()
    ),
    Lie("upload elsewhere", BATCH, _uploads_elsewhere),
    Lie("upload redirected", r"^PUT ", _sends_to(lambda told: f"{told.hub.other}/put")),
    Lie("commit redirected", COMMIT, _sends_to(lambda told: f"{told.hub.other}/commit")),
    Lie("preupload redirected", PREUPLOAD, _sends_to(lambda told: f"{told.hub.other}/preupload")),
    *(Lie(f"commit {name}", COMMIT, _with(commitOid=value)) for name, value in _BAD_COMMITS.items()),
    *(Lie(f"commit {value!r}", COMMIT, _with(commitOid=value)) for value in _NO_TEXTS),
    *(Lie(f"address of the commit {value!r}"[:40], COMMIT, _with(commitUrl=value)) for value in (7, "../x", "", None)),
    *(
        Lie(f"{status} at {kind}", match, _status(status, {"X-Error-Message": "no \x1b[31m\u202e" + "x" * 3000}))
        for status in (304, 401, 403, 404, 409, 412, 416)
        for kind, match in (
            ("facts", INFO),
            ("tree", TREE),
            ("batch", BATCH),
            ("commit", COMMIT),
            ("tag", "^POST .*/tag/"),
        )
    ),
    *(
        Lie(f"{what} at {kind}", match, tell)
        for kind, match in (("preupload", PREUPLOAD), ("commit", COMMIT), ("tag", "^POST .*/tag/"))
        for what, tell in {
            "endless": _body(lambda _: repeat(MEGABYTES)),
            "a gzip bomb": _gzipped,
            "dripping": _body(lambda told: _dripping(Told(**vars(told) | {"data": b" " * 1000 + told.data}))),
            "Retry-After for ever": _status(400, {"Retry-After": "1000000000"}, b'{"error": [1, {"a": 2}]}'),
        }.items()
    ),
]

SILENT = [Lie("silent facts", INFO, _silent), Lie("silent files", SHARD, _silent)]

ERASING = [
    *(lie for lie in WRITING if re.search("tree|page|elsewhere|for commit|facts", lie.name)),
    *(
        Lie(f"{name} at {kind}", match, tell)
        for kind, match in {
            "commits": r"^GET .*/commits/",
            "large files": "/lfs-files",
            "squash": "/super-squash/",
            "delete": "^DELETE ",
        }.items()
        for name, tell in {
            "numbers": _says([1]),
            "HTML": _says(b"<html>"),
            "paths": _says([{"id": "../x", "fileOid": "../y"}]),
            "a page elsewhere": _next_page(lambda told: f"{told.hub.other}/x"),
            "a redirect": _sends_to(lambda told: f"{told.hub.other}/x"),
            "403": _status(403),
            "endless": _body(lambda _: repeat(MEGABYTES)),
        }.items()
    ),
]
