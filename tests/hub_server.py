"""A dataset hub on the loopback, for tests: it speaks the HTTP API of the real `huggingface_hub` client.

In a test::

    with Hub(tmp_path) as hub:
        subprocess.run(..., env=os.environ | hub.environment(home))

or as a process of its own: `python -m tests.hub_server --port 0 --root DIR` prints its URL; faults are then
switched on with `POST /_test/faults` (a JSON list of `Fault` fields) and the log is read at `GET /_test/log`.

State lives in memory, large files below `root`. Tokens: see `USERS`.
"""

from __future__ import annotations

import argparse
import itertools
import re
import socket
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .hub_routes import Handler
from .hub_state import OWNER, READER, STRANGER, Blob, Fault, Repo, Request, small_blob

__all__ = ["OWNER", "READER", "STRANGER", "Fault", "Hub", "Repo"]


class Hub:
    """The server; runs in threads of this process between `__enter__` and `__exit__`."""

    def __init__(self, root: Path, *, port: int = 0, page: int = 1000, handler: type[Handler] = Handler) -> None:
        self.root = root
        self.page = page  # entries per page of a tree listing
        self.repos: dict[str, Repo] = {}
        self.faults: list[Fault] = []
        self.log: list[Request] = []
        self.lock = threading.RLock()
        self.held, self.release = threading.Event(), threading.Event()
        (root / "lfs").mkdir(parents=True, exist_ok=True)
        self._number = itertools.count()

        class OurHandler(handler):  # type: ignore[misc, valid-type]
            hub = self

        self._server = _Server(("127.0.0.1", port), OurHandler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port and every open connection; the state stays readable."""
        self.release.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.close_all()
        self._server.server_close()

    def environment(self, home: Path, token: str | None = OWNER) -> dict[str, str]:
        """What a client process needs in its environment; `home` holds its cache. No token: an empty one."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_TOKEN": token or "",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
        }

    def create(self, repo_id: str, *, private: bool = True) -> Repo:
        """A repository with the one file that every new one has."""
        data = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n*.arrow filter=lfs diff=lfs merge=lfs -text\n"
        repo = self.repos[repo_id] = Repo(repo_id, private)
        repo.add_commit("initial commit", {".gitattributes": small_blob(data)})
        return repo

    def object(self, sha256: str) -> Path:
        """Where a large file is kept."""
        return self.root / "lfs" / sha256

    def content(self, blob: Blob) -> bytes:
        """The bytes of a file."""
        return self.object(blob.sha256).read_bytes() if blob.data is None else blob.data

    def requests(self, match: str) -> list[Request]:
        """The log's lines whose "METHOD /path" holds the regex."""
        with self.lock:
            return [line for line in self.log if re.search(match, f"{line.method} {line.path}")]

    def take_fault(self, line: str) -> Fault | None:
        """The first fault that is meant for this request; it counts as used."""
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.match, line):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def temporary(self) -> Path:
        """A name for a file that is being received."""
        with self.lock:
            return self.root / "lfs" / f"part-{next(self._number)}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_all(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no news; anything else is."""
        if not isinstance(sys.exception(), (ConnectionError, ValueError)):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="A dataset hub on the loopback, for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--root", type=Path, required=True)
    options = parser.parse_args()
    with Hub(options.root, port=options.port) as hub:
        print(hub.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
