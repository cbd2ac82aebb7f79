"""The test hub's answers: one method per route of the HTTP API."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import yaml

from .hub_state import USERS, Blob, Commit, Fault, Refused, Repo, Request, User, small_blob

if TYPE_CHECKING:
    from .hub_server import Hub

__all__ = ["Handler"]

_CHUNK = 1 << 16


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    # ---------------------------------------------------------------------------------- one request

    def _answer(self) -> None:
        url = urlsplit(self.path)
        self.place = unquote(url.path)
        self.query = parse_qs(url.query)
        self.parts = [unquote(part) for part in url.path.strip("/").split("/")]
        self.received = 0
        self.fault = None
        if self.parts[0] != "_test":
            self.fault = self.hub.take_fault(f"{self.command} {self.place}")
        try:
            self._do_or_fail()
        except ConnectionError:
            self.close_connection = True

    def _note(self, status: int, sent: int) -> None:
        """A line for the log; before the answer goes out, so that who has the answer finds the line."""
        if self.parts[0] != "_test":
            with self.hub.lock:
                self.hub.log.append(Request(self.command, self.place, status, self.received, sent))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer

    def _do_or_fail(self) -> None:
        kind = self.fault.kind if self.fault else None
        if kind == "drop" and self.command in ("POST", "PUT"):
            self._drop_request()
            return
        try:
            if kind == "slow" and self.fault:
                time.sleep(self.fault.seconds)
            if kind == "hold":
                self.hub.held.set()
                self.hub.release.wait(60)
            if kind == "status" and self.fault:
                self._body()
                refusal = Refused(self.fault.status, self.fault.message)
                refusal.headers = self.fault.headers
                raise refusal
            self.user = self._who()
            self._route()
        except Refused as refusal:
            self._drain()
            headers = {"X-Error-Message": " ".join(refusal.message.split())} | refusal.headers
            headers |= {"X-Error-Code": refusal.code} if refusal.code else {}
            self._json({"error": refusal.message, **refusal.body}, refusal.status, headers)

    def _route(self) -> None:
        match self.command, self.parts:
            case "GET", ["api", "whoami-v2"]:
                self._whoami()
            case "POST", ["api", "repos", "create"]:
                self._create()
            case "POST", ["api", "validate-yaml"]:
                self._validate()
            case "GET", ["api", "datasets", owner, name]:
                self._info(self._repo(owner, name), "main")
            case "GET", ["api", "datasets", owner, name, "revision", revision]:
                self._info(self._repo(owner, name), revision)
            case "GET", ["api", "datasets", owner, name, "refs"]:
                self._refs(self._repo(owner, name))
            case "GET", ["api", "datasets", owner, name, "tree", revision, *path]:
                self._tree(self._repo(owner, name), revision, "/".join(path))
            case "POST", ["api", "datasets", owner, name, "paths-info", revision]:
                self._paths_info(self._repo(owner, name), revision)
            case "GET", ["api", "datasets", owner, name, "commits", revision]:
                self._commits(self._repo(owner, name), revision)
            case "POST", ["api", "datasets", owner, name, "preupload", _]:
                self._preupload(self._repo(owner, name, write=not self._proposes()))
            case "POST", ["api", "datasets", owner, name, "commit", "main"]:
                self._commit(self._repo(owner, name, write=not self._proposes()))
            case "POST", ["api", "datasets", owner, name, "tag", revision]:
                repo = self._repo(owner, name, write=True)
                self._add_ref(repo, repo.tags, self._data()["tag"], revision)
            case "DELETE", ["api", "datasets", owner, name, "tag", tag]:
                self._drop_ref(self._repo(owner, name, write=True).tags, tag)
            case "POST", ["api", "datasets", owner, name, "branch", branch]:
                repo = self._repo(owner, name, write=True)
                self._add_ref(repo, repo.branches, branch, self._data().get("startingPoint", "main"))
            case "DELETE", ["api", "datasets", owner, name, "branch", branch]:
                self._drop_ref(self._repo(owner, name, write=True).branches, branch)
            case "POST", ["api", "datasets", owner, name, "super-squash", branch]:
                self._squash(self._repo(owner, name, write=True), branch)
            case "GET", ["api", "datasets", owner, name, "lfs-files"]:
                self._large_files(self._repo(owner, name, write=True))
            case "POST", ["api", "datasets", owner, name, "lfs-files", "batch"]:
                self._delete_large_files(self._repo(owner, name, write=True))
            case "POST", ["datasets", owner, name, "info", "lfs", "objects", "batch"] if name.endswith(".git"):
                self._batch(self._repo(owner, name.removesuffix(".git")))  # also of those who only propose
            case "PUT", ["_lfs", sha256]:
                self._receive(sha256)
            case "POST", ["_lfs", "verify"]:
                self._verify()
            case "GET" | "HEAD", ["datasets", owner, name, "resolve", revision, *path]:
                self._resolve(self._repo(owner, name), revision, "/".join(path))
            case "POST", ["_test", "faults"]:
                with self.hub.lock:
                    self.hub.faults[:] = [Fault(**fault) for fault in self._data()]
                self._json({})
            case "GET", ["_test", "log"]:
                self._json([asdict(line) for line in self.hub.log])
            case _:
                raise Refused(404, f"no such route: {self.command} {self.path}")

    # ---------------------------------------------------------------------------------- who may what

    def _who(self) -> User | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not token or self.parts[0] in ("_lfs", "_test"):  # an upload address is its own permission
            return None
        if token not in USERS:
            raise Refused(401, "Invalid credentials in Authorization header")
        return USERS[token]

    def _member(self, owner: str) -> bool:
        return self.user is not None and owner in (self.user.name, *self.user.orgs)

    def _repo(self, owner: str, name: str, *, write: bool = False) -> Repo:
        repo = self.hub.repos.get(f"{owner}/{name}")
        if repo is None or (repo.private and not self._member(owner)):
            if self.user is None:
                raise Refused(401, "Invalid username or password.", "RepoNotFound")
            raise Refused(404, "Repository not found", "RepoNotFound")
        if write and self.user is None:
            raise Refused(401, "Invalid username or password.")
        if write and not (self._member(owner) and self.user and self.user.role == "write"):
            raise Refused(403, "You don't have the required permissions to perform this action")
        return repo

    def _proposes(self) -> bool:
        """Whether the request is for a pull request, which everybody who is logged in may open."""
        if "create_pr" not in self.query:
            return False
        if self.user is None:
            raise Refused(401, "Invalid username or password.")
        return True

    def _revision(self, repo: Repo, revision: str) -> Commit:
        pulls = {f"refs/pr/{number}": commit for number, commit in repo.pulls.items()}
        name = repo.branches.get(revision) or repo.tags.get(revision) or pulls.get(revision) or revision
        if name not in repo.commits:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return repo.commits[name]

    # ---------------------------------------------------------------------------------- repositories

    def _whoami(self) -> None:
        if self.user is None:
            raise Refused(401, "Invalid username or password.")
        self._json(
            {
                "type": "user",
                "name": self.user.name,
                "orgs": [{"type": "org", "name": org} for org in self.user.orgs],
                "auth": {
                    "type": "access_token",
                    "accessToken": {"displayName": "test", "role": self.user.role},
                },
            }
        )

    def _create(self) -> None:
        data = self._data()
        if self.user is None:
            raise Refused(401, "Invalid username or password.")
        owner = data.get("organization") or self.user.name
        repo_id = f"{owner}/{data['name']}"
        if data.get("type") != "dataset":
            raise Refused(400, "this hub holds datasets only")
        if not self._member(owner) or self.user.role != "write":
            raise Refused(403, f'You don\'t have the rights to create a dataset under the namespace "{owner}"')
        url = f"{self.hub.url}/datasets/{repo_id}"
        with self.hub.lock:
            if repo_id in self.hub.repos:
                raise Refused(409, "You already created this dataset repo", url=url)
            private = data.get("visibility") == "private" or bool(data.get("private"))
            self.hub.create(repo_id, private=private)
        self._json({"url": url, "name": repo_id, "id": repo_id})

    def _validate(self) -> None:
        text = self._data()["content"]
        header = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
        errors, warnings = [], []
        try:
            data = yaml.safe_load(header[1]) if header else None
        except yaml.YAMLError as error:
            data, errors = {}, [{"message": f"YAML: {error}"}]
        if data is None:
            warnings.append({"message": "empty or missing yaml metadata in repo card"})
        elif not isinstance(data, dict):
            errors.append({"message": "the metadata is no map"})
        elif not isinstance(data.get("license", ""), str) or "bogus" in str(data.get("license")):
            errors.append({"message": '"license" must be one of [apache-2.0, mit, other, …]'})
        self._json({"errors": errors, "warnings": warnings}, 400 if errors else 200)

    def _info(self, repo: Repo, revision: str) -> None:
        commit = self._revision(repo, revision) if repo.commits else None
        siblings = []
        for path, blob in sorted(commit.files.items() if commit else ()):
            sibling: dict[str, Any] = {"rfilename": path}
            if "blobs" in self.query:
                sibling |= {"size": blob.size, "blobId": blob.oid}
                if blob.data is None:
                    sibling["lfs"] = {
                        "sha256": blob.sha256,
                        "size": blob.size,
                        "pointerSize": len(blob.pointer),
                    }
            siblings.append(sibling)
        self._json(
            {
                "_id": hashlib.md5(repo.id.encode()).hexdigest()[:24],
                "id": repo.id,
                "author": repo.id.split("/")[0],
                "sha": commit.id if commit else None,
                "private": repo.private,
                "gated": False,
                "disabled": False,
                "downloads": 0,
                "likes": 0,
                "tags": [],
                "siblings": siblings,
            }
        )

    def _refs(self, repo: Repo) -> None:
        def listed(refs: dict[str, str], kind: str) -> list[dict[str, str]]:
            return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": c} for n, c in refs.items()]

        found = {"branches": listed(repo.branches, "heads"), "converts": [], "tags": listed(repo.tags, "tags")}
        if "include_prs" in self.query:
            found["pullRequests"] = listed({str(number): commit for number, commit in repo.pulls.items()}, "pr")
        self._json(found)

    def _add_ref(self, repo: Repo, refs: dict[str, str], name: str, revision: str) -> None:
        with self.hub.lock:
            commit = self._revision(repo, revision)
            if self.fault and self.fault.kind == "race":
                refs[name] = next(iter(repo.commits))
            if name in refs:
                raise Refused(409, f"Reference already exists: {name}")
            refs[name] = commit.id
        self._json({})

    def _drop_ref(self, refs: dict[str, str], name: str) -> None:
        if refs.pop(name, None) is None:
            raise Refused(404, f"no such reference: {name}", "RevisionNotFound")
        self._json({})

    def _commits(self, repo: Repo, revision: str) -> None:
        history = repo.history(self._revision(repo, revision))
        self._json(
            [
                {
                    "id": c.id,
                    "title": c.title,
                    "message": c.message,
                    "date": c.date,
                    "authors": [{"user": c.author}],
                }
                for c in history
            ]
        )

    def _squash(self, repo: Repo, branch: str) -> None:
        title = self._data()["message"]
        with self.hub.lock:
            if branch not in repo.branches:
                raise Refused(404, f"Invalid rev id: {branch}", "RevisionNotFound")
            files = repo.commits[repo.branches[branch]].files
            repo.branches[branch] = repo.put_commit(None, title, files).id
        self._json({})

    # ---------------------------------------------------------------------------------- large files

    def _large_files(self, repo: Repo) -> None:
        names = {
            blob.sha256: (path, blob.size)
            for commit in repo.commits.values()
            for path, blob in commit.files.items()
            if blob.data is None and self.hub.object(blob.sha256).exists()
        }
        self._page(
            [
                {
                    "fileOid": sha256,
                    "oid": hashlib.sha1(sha256.encode()).hexdigest(),
                    "filename": path,
                    "size": size,
                    "pushedAt": "2026-01-01T00:00:00.000Z",
                }
                for sha256, (path, size) in sorted(names.items())
            ]
        )

    def _delete_large_files(self, repo: Repo) -> None:
        asked = self._data()["deletions"]
        if asked["rewriteHistory"]:
            raise Refused(501, "this hub does not rewrite history")
        for sha256 in asked["sha"]:
            self.hub.object(sha256).unlink(missing_ok=True)
        self._json({})

    # ---------------------------------------------------------------------------------- listings

    def _listing(self, commit: Commit, path: str, recursive: bool) -> list[dict[str, Any]]:
        prefix = f"{path}/" if path else ""
        files = {name: blob for name, blob in commit.files.items() if name.startswith(prefix)}
        if path and not files:
            raise Refused(404, f"{path} does not exist", "EntryNotFound")
        found, folders = [], set()
        for name, blob in files.items():
            below = name.removeprefix(prefix).split("/")[:-1]
            folders |= {
                prefix + "/".join(below[: n + 1]) for n in range(len(below) if recursive else min(1, len(below)))
            }
            if recursive or not below:
                found.append(blob.listed(name))
        for folder in folders:
            found.append(
                {
                    "type": "directory",
                    "path": folder,
                    "size": 0,
                    "oid": hashlib.sha1(folder.encode()).hexdigest(),
                }
            )
        return sorted(found, key=lambda entry: str(entry["path"]))

    def _lie(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.fault and self.fault.kind == "corrupt":
            for entry in entries:
                if "lfs" in entry:
                    entry["lfs"]["oid"] = entry["lfs"]["oid"][::-1]
        return entries

    def _tree(self, repo: Repo, revision: str, path: str) -> None:
        recursive = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        self._page(self._lie(self._listing(self._revision(repo, revision), path, recursive)))

    def _page(self, entries: list[dict[str, Any]]) -> None:
        """One page of a listing, with the address of the next one."""
        start = int(self.query.get("cursor", ["0"])[0])
        headers = {}
        if start + self.hub.page < len(entries):
            query = urlencode({k: v[0] for k, v in self.query.items()} | {"cursor": start + self.hub.page})
            headers["Link"] = f'<{self.hub.url}{urlsplit(self.path).path}?{query}>; rel="next"'
        self._json(entries[start : start + self.hub.page], headers=headers)

    def _paths_info(self, repo: Repo, revision: str) -> None:
        commit = self._revision(repo, revision)
        body = self._body().decode()
        wanted = parse_qs(body).get("paths", []) if not body.startswith("{") else json.loads(body)["paths"]
        everything = {entry["path"]: entry for entry in self._listing(commit, "", True)}
        self._json(self._lie([everything[path] for path in wanted if path in everything]))

    # ---------------------------------------------------------------------------------- sending

    def _preupload(self, repo: Repo) -> None:
        files = []
        for file in self._data()["files"]:
            binary = b"\0" in base64.b64decode(file["sample"]) or file["path"].endswith((".parquet", ".arrow"))
            there = repo.files.get(file["path"])
            files.append(
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if binary or file["size"] > 10_000_000 else "regular",
                    "shouldIgnore": False,
                    "oid": there.etag if there else None,
                }
            )
        self._json({"files": files})

    def _batch(self, repo: Repo) -> None:
        objects = []
        for entry in self._data()["objects"]:
            found: dict[str, Any] = {"oid": entry["oid"], "size": entry["size"]}
            if not self.hub.object(entry["oid"]).exists():
                found["actions"] = {
                    "upload": {"href": f"{self.hub.url}/_lfs/{entry['oid']}"},
                    "verify": {"href": f"{self.hub.url}/_lfs/verify"},
                }
            objects.append(found)
        self._json({"transfer": "basic", "objects": objects})

    def _receive(self, sha256: str) -> None:
        part, digest = self.hub.temporary(), hashlib.sha256()
        with part.open("wb") as file:
            for chunk in self._chunks():
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != sha256:
            part.unlink()
            raise Refused(400, f"these bytes are not {sha256}")
        part.replace(self.hub.object(sha256))
        self._json({})

    def _verify(self) -> None:
        data = self._data()
        path = self.hub.object(data["oid"])
        if not path.exists() or path.stat().st_size != data["size"]:
            raise Refused(404, "no such object")
        self._json({})

    def _commit(self, repo: Repo) -> None:
        lines = [json.loads(line) for line in self._body().splitlines()]
        header, answer = lines[0]["value"], {}
        with self.hub.lock:
            if self.fault and self.fault.kind == "race":
                files = repo.files | {"notes.txt": small_blob(b"from somebody else\n")}
                repo.add_commit("somebody else's", files, author="somebody")
            head = repo.branches.get("main")
            if header.get("parentCommit", head) != head:
                raise Refused(412, "A commit has happened since. Please refresh and try again.")
            files = dict(repo.files)
            for line in lines[1:]:
                self._apply(files, line["key"], line["value"])
            author = self.user.name if self.user else "?"
            commit = repo.make_commit(header["summary"], files, author=author, message=header.get("description", ""))
            if self._proposes():
                number = len(repo.pulls) + 1
                repo.pulls[number] = commit.id
                answer["pullRequestUrl"] = f"{self.hub.url}/datasets/{repo.id}/discussions/{number}"
            else:
                repo.branches["main"] = commit.id
        url = f"{self.hub.url}/datasets/{repo.id}/commit/{commit.id}"
        self._json({"success": True, "commitOid": commit.id, "commitUrl": url, "hookOutput": ""} | answer)

    def _apply(self, files: dict[str, Blob], key: str, value: dict[str, Any]) -> None:
        path = value["path"]
        if key == "file":
            files[path] = small_blob(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            if not self.hub.object(value["oid"]).exists():
                raise Refused(400, f"{path}: its content was not uploaded")
            files[path] = Blob(self.hub.object(value["oid"]).stat().st_size, value["oid"], None)
        elif key in ("deletedFile", "deletedFolder"):
            gone = [name for name in files if name == path or name.startswith(path.rstrip("/") + "/")]
            if not gone:
                raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
            for name in gone:
                del files[name]
        else:
            raise Refused(400, f"unknown operation {key}")

    # ---------------------------------------------------------------------------------- serving files

    def _resolve(self, repo: Repo, revision: str, path: str) -> None:
        commit = self._revision(repo, revision)
        blob = commit.files.get(path)
        if blob is None or (blob.data is None and not self.hub.object(blob.sha256).exists()):
            raise Refused(404, f"{path} does not exist", "EntryNotFound")
        data = self.hub.content(blob)
        if self.fault and self.fault.kind == "corrupt" and data:
            data = data[:-1] + bytes([data[-1] ^ 1])
        headers = {
            "ETag": f'"{blob.etag}"',
            "X-Repo-Commit": commit.id,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(path.rsplit('/', 1)[-1])}",
        }
        status = 200
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked and any(asked.groups()):
            first, last = asked.groups()
            start = int(first) if first else max(0, len(data) - int(last))
            stop = min(int(last) + 1, len(data)) if first and last else len(data)
            if start >= len(data):
                self._send(416, b"", headers | {"Content-Range": f"bytes */{len(data)}"})
                return
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
            status, data = 206, data[start:stop]
        self._send(status, data, headers)

    # ---------------------------------------------------------------------------------- bytes

    def _chunks(self) -> Iterator[bytes]:
        """The request's body, counted as it comes in."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self._count(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0) - self.received
        while left > 0:
            chunk = self.rfile.read(min(_CHUNK, left))
            if not chunk:
                raise ConnectionResetError("the client is gone")
            left -= len(chunk)
            yield self._count(chunk)

    def _count(self, chunk: bytes) -> bytes:
        self.received += len(chunk)
        return chunk

    def _body(self) -> bytes:
        return b"".join(self._chunks())

    def _data(self) -> Any:
        return json.loads(self._body())

    def _drain(self) -> None:
        """Read what is left of the request, so that the next one on this connection starts at its start."""
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
        else:
            for _ in self._chunks():
                pass

    def _drop_request(self) -> None:
        after = self.fault.after if self.fault else 0
        self.received = len(self.rfile.read(after)) if after else 0
        self._note(0, 0)
        self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _json(self, data: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(data).encode()
        self._send(status, text, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        kind = self.fault.kind if self.fault else None
        length = len(data)
        if self.command == "HEAD" or kind == "lose":
            data = b""
        elif self.fault and kind == "drop":
            data = data[: self.fault.after]
        self._note(status, len(data))
        if kind == "lose":
            self._hang_up()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value.encode("ascii", "replace").decode())
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data)
        if kind == "drop":
            self._hang_up()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: `Hub.log` has it all."""
