"""What the test hub keeps: users, repositories, commits, files, faults, the log."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "OWNER",
    "READER",
    "STRANGER",
    "USERS",
    "Blob",
    "Commit",
    "Fault",
    "Refused",
    "Repo",
    "Request",
    "User",
    "small_blob",
]

_EPOCH = 1_700_000_000  # commits are dated by a counter, so that two runs give the same ids


@dataclass(frozen=True)
class User:
    name: str
    orgs: tuple[str, ...] = ()
    role: str = "write"


OWNER, READER, STRANGER = "hf_owner", "hf_reader", "hf_stranger"
USERS = {
    OWNER: User("alice", ("lab",)),
    READER: User("carol", ("lab",), role="read"),
    STRANGER: User("bob"),
}


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose "METHOD /path" holds the regex `match`, after `skip` good ones.

    Kinds: `status` answers `status` with `headers` and `message` and does nothing; `drop` closes the connection after `after` bytes of the
    body (sent or received); `lose` does the work and closes without an answer; `race` lets somebody else
    commit first, or set the tag; `corrupt` turns one byte of a served file, or every large file's hash in a
    listing; `slow`
    waits `seconds` before the answer; `hold` sets `Hub.held` and waits until `Hub.release` is set.
    """

    kind: str
    match: str = ""
    times: int = 1
    status: int = 503
    after: int = 0
    seconds: float = 0.0
    skip: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "switched on by a test"


@dataclass(frozen=True)
class Request:
    """One line of the log; `sent` and `received` count body bytes, `path` carries no query."""

    method: str
    path: str
    status: int
    received: int
    sent: int


@dataclass(frozen=True)
class Blob:
    """A file of a commit: `data` of a small one, None for a large one, which stands under its SHA-256."""

    size: int
    sha256: str
    data: bytes | None

    @property
    def pointer(self) -> bytes:
        version = "version https://git-lfs.github.com/spec/v1"
        return f"{version}\noid sha256:{self.sha256}\nsize {self.size}\n".encode()

    @property
    def oid(self) -> str:
        """What git calls the blob."""
        data = self.pointer if self.data is None else self.data
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.data is None else self.oid

    def listed(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "file", "oid": self.oid, "size": self.size, "path": path}
        if self.data is None:
            found["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": len(self.pointer)}
        return found


@dataclass(frozen=True)
class Commit:
    id: str
    parent: str | None
    title: str
    message: str
    author: str
    number: int
    files: dict[str, Blob]

    @property
    def date(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(_EPOCH + self.number))


@dataclass
class Repo:
    id: str
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, str] = field(default_factory=dict)

    @property
    def head(self) -> Commit:
        return self.commits[self.branches["main"]]

    @property
    def files(self) -> dict[str, Blob]:
        """Files of the newest commit; none where there is no commit yet."""
        return self.head.files if "main" in self.branches else {}

    def add_commit(self, title: str, files: dict[str, Blob], *, author: str = "system", message: str = "") -> Commit:
        """Put a commit with exactly these files on main."""
        commit = self.make_commit(title, files, author=author, message=message)
        self.branches["main"] = commit.id
        return commit

    def make_commit(self, title: str, files: dict[str, Blob], *, author: str = "system", message: str = "") -> Commit:
        """A commit on top of main, which stays."""
        parent = self.branches.get("main")
        return self.put_commit(parent, title, files, author=author, message=message)

    def put_commit(
        self, parent: str | None, title: str, files: dict[str, Blob], *, author: str = "system", message: str = ""
    ) -> Commit:
        """A commit that no branch names yet."""
        listing = "".join(f"{path} {blob.oid}\n" for path, blob in sorted(files.items()))
        name = hashlib.sha1(f"{parent} {len(self.commits)} {title}\n{listing}".encode()).hexdigest()
        commit = Commit(name, parent, title, message, author, len(self.commits), dict(files))
        self.commits[name] = commit
        return commit

    def history(self, commit: Commit) -> Iterator[Commit]:
        current: Commit | None = commit
        while current:
            yield current
            current = self.commits[current.parent] if current.parent else None


class Refused(Exception):
    """An answer other than 2xx; the client tells them apart by `code`, the X-Error-Code header."""

    def __init__(self, status: int, message: str, code: str | None = None, **body: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.body = status, message, code, body
        self.headers: dict[str, str] = {}


def small_blob(data: bytes) -> Blob:
    """A file that is kept in the repository itself."""
    return Blob(len(data), hashlib.sha256(data).hexdigest(), data)
