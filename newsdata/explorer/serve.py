"""Start the page: find the versions, take a port of this machine only, say the address, and answer until it is stopped."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

import uvicorn

from ..dataset.open_version import find_version
from ..errors import CallError, MachineError
from ..files import expand_home
from ..storage.manifest import MANIFEST_NAME, versions_in
from .app import Library, make_app
from .opened import open_for_page
from .safety import Guard, loopback_names
from .text_cache import ARTICLES_WITHOUT, TextCache, cache_folder
from .view import View

__all__ = ["DEFAULT_PORT", "open_library", "serve", "take_port"]

DEFAULT_PORT = 8765
_LISTED_FOR = 1.0  # seconds for which a list of versions is good: every page shows it
_TRIED = 50  # ports after the wanted one
_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):\d{1,5}", re.ASCII)


def open_library(
    directory: str, revision: str | None = None, *, cache_bytes: int | None = None, patience: float = 5.0
) -> Library:
    """The versions to look at.

    Args:
        directory: the folder of a version or of versions; or a version in an object store or a repository on the Hub, of
            which everything is fetched.
        revision: the version that answers at `/`; the newest by default.
        cache_bytes: how large the copies of texts of large versions may become; None for no copies.
        patience: seconds that a request waits for a search.

    Raises:
        NewsdataError: there is no such version, or it cannot be opened.
    """
    cache = None if cache_bytes is None else _Lazily(cache_bytes)
    directory = expand_home(directory)
    found = find_version(directory, revision)
    if not found.is_here:
        found.with_files(
            [*(shard.path for shard in found.manifest.shards), *(file.path for file in found.manifest.files)]
        )
    folder = Path(directory)
    several = found.is_here and not (folder / MANIFEST_NAME).is_file()

    list_names = _Listed(folder) if several else lambda: (found.manifest.dataset_version,)

    def open_one(name: str) -> View:
        this = find_version(folder, name if several else None) if found.is_here else found
        opened = open_for_page(this)
        return View(
            opened, shown_path=directory, cache=cache.get(opened.articles) if cache else None, patience=patience
        )

    library = Library(list_names, found.manifest.dataset_version, open_one)
    library.view(library.newest)
    return library


class _Listed:
    """The versions in a folder. They are listed again after a second, or if the folder itself changed.

    If it cannot be read any more, or holds none, the last list stays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: tuple[int, float, tuple[str, ...]] = (0, -_LISTED_FOR, ())

    def __call__(self) -> tuple[str, ...]:
        with suppress(OSError):
            changed, now = self._folder.stat().st_mtime_ns, monotonic()
            before, listed, names = self._last
            if changed != before or now - listed >= _LISTED_FOR:
                self._last = changed, now, tuple(versions_in(self._folder)) or names
        return self._last[2]


class _Lazily:
    """The cache of texts, made when the first large version is opened."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._cache: TextCache | None = None

    def get(self, articles: int) -> TextCache | None:
        if self._cache is None and articles > ARTICLES_WITHOUT:
            self._cache = TextCache(cache_folder(), self._limit)
        return self._cache


def take_port(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1, at the wanted port or the next free one; port 0 takes any.

    Raises:
        MachineError: none of them is free.
    """
    for number in [port] if port == 0 else range(port, min(port + _TRIED, 65_536)):
        taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", number))
            taken.listen(64)
            return taken
        except OSError:
            taken.close()
    raise MachineError(f"no port from {port} to {port + _TRIED - 1} is free", hint="--port 0 takes any free one")


def serve(
    library: Library, listening: socket.socket, *, allowed_hosts: Sequence[str] = (), ready: Callable[[str], None]
) -> None:
    """Answer requests until SIGINT or SIGTERM, which end this with KeyboardInterrupt.

    Args:
        library: what to show.
        listening: from `take_port`.
        allowed_hosts: names beside those of this machine by which a browser may call the page, as HOST:PORT.
        ready: is given the address.

    Raises:
        CallError: an allowed host is not of the form HOST:PORT.
    """
    for host in allowed_hosts:
        if not _HOST.fullmatch(host):
            raise CallError(f"{host!r} is not of the form HOST:PORT", field="--allow-host", hint="localhost:9000")
    port = listening.getsockname()[1]
    app = Guard(make_app(library), {*loopback_names(port), *allowed_hosts})
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, log_level=logging.ERROR, access_log=False, server_header=False,
        date_header=False, timeout_graceful_shutdown=1, ws="none", http="h11", loop="asyncio",
        h11_max_incomplete_event_size=65_536, limit_concurrency=256, proxy_headers=False,
    )  # fmt: skip
    ready(f"http://127.0.0.1:{port}/")
    uvicorn.Server(config).run(sockets=[listening])
