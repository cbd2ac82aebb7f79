"""The application: addresses, the pages behind them, and what is answered when something is wrong."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import Any
from urllib.parse import parse_qsl, quote

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ..errors import NewsdataError
from .answers import Answer, Asked, Download, Missing
from .opened import DamagedFile, is_regular
from .pages.about import about, picture_names
from .pages.article import article, excluded_article
from .pages.articles import articles, facet_page
from .pages.aside import excluded, excluded_csv, issues, issues_csv, rejects, rejects_csv
from .pages.clusters import cluster, clusters
from .pages.splits import splits
from .pages.take import export_csv, export_ids, export_parquet
from .parameters import BadParameter, Reader
from .rendering import FOLDER, Renderer, around
from .safety import ASSET_POLICY
from .search import StillSearching
from .view import View

__all__ = ["Library", "make_app"]

_Page = Callable[[Asked], Answer]

_PAGES: Mapping[str, _Page] = {
    "articles": articles, "clusters": clusters, "excluded": excluded, "rejects": rejects, "issues": issues,
    "splits": splits, "about": about,
}  # fmt: skip
_NAMED_PAGES: Mapping[str, _Page] = {
    "article": article, "cluster": cluster, "excluded": excluded_article, "facet": facet_page,
}  # fmt: skip
_DOWNLOADS: Mapping[str, Callable[[Asked], Download]] = {
    "export.csv": export_csv, "export.parquet": export_parquet, "export.txt": export_ids,
    "excluded.csv": excluded_csv, "rejects.csv": rejects_csv, "issues.csv": issues_csv,
}  # fmt: skip
_STATIC = {
    "style.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
}  # fmt: skip
_OTHERS = ("in", "split", "publisher", "code", "kind", "issue", "cluster", "sort", "view", "share")
"""Parameters that the form of an error page keeps as they are."""
_VERSION = re.compile(r"/v/(?P<version>[^/]+)(?P<rest>/.*)?")
_KEPT_VIEWS = 2  # versions that are open at once
_AT_ONCE = 4  # requests that are worked on; each may hold a row group of texts
_KEPT_ANSWERS, _LARGEST_KEPT = 64, 500_000  # answers, and bytes of one


class Library:
    """The versions that are served, opened when they are first asked for.

    Args:
        list_names: gives the versions that there are now, oldest first; it never fails.
        newest: the one that answers at `/`; it stays so while the page runs.
        open_one: opens a version by its name.
    """

    def __init__(self, list_names: Callable[[], tuple[str, ...]], newest: str, open_one: Callable[[str], View]) -> None:
        self._list_names = list_names
        self.newest = newest
        self._open = open_one
        self._lock = threading.Lock()
        self._views: OrderedDict[str, View] = OrderedDict()

    @property
    def names(self) -> tuple[str, ...]:
        """The versions that there are now, oldest first."""
        return self._list_names()

    def view(self, name: str) -> View:
        """A version.

        Raises:
            Missing: there is none of this name.
            NewsdataError: it cannot be opened.
        """
        if name not in self._views and name not in (names := self.names):
            links = tuple((f"/v/{other}/", f"version {other}") for other in reversed(names))
            raise Missing(f"there is no version {name!r}", links)
        with self._lock:
            if name not in self._views:
                self._views[name] = self._open(name)
            self._views.move_to_end(name)
            others = [other for other in self._views if other not in (name, self.newest)]
            while len(self._views) > _KEPT_VIEWS and others:
                del self._views[others.pop(0)]
            return self._views[name]

    def reopen(self, name: str) -> None:
        """Read a version anew when it is next asked for."""
        with self._lock:
            self._views.pop(name, None)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an address leads: version, prefix, path below it, and whether JSON is wanted."""

    version: str
    base: str
    path: str
    as_json: bool


def make_app(library: Library) -> Starlette:
    """The application, without its guard (see `safety.Guard`)."""
    server = _Server(library)
    return Starlette(routes=[Route("/{path:path}", server.respond, methods=["GET", "HEAD"])])


class _Kept:
    """The last answers, by their tags, which name everything that decides them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, Response] = OrderedDict()

    def get(self, tag: str) -> Response | None:
        with self._lock:
            if tag in self._answers:
                self._answers.move_to_end(tag)
            return self._answers.get(tag)

    def put(self, tag: str, answer: Response) -> None:
        with self._lock:
            if len(answer.body) <= _LARGEST_KEPT:
                self._answers[tag] = answer
            while len(self._answers) > _KEPT_ANSWERS:
                self._answers.popitem(last=False)


class _Server:
    """Answers requests."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._renderer = Renderer()
        self._kept = _Kept()
        self._static = {
            name: ((FOLDER / "static" / name).read_bytes(), media_type) for name, media_type in _STATIC.items()
        }
        code = b"".join(path.read_bytes() for path in sorted((FOLDER / "templates").iterdir()) if path.is_file())
        self._build = hashlib.sha256(code + version_of("newsdata").encode()).hexdigest()

    async def respond(self, request: Request) -> Response:
        """Answer one request; the work is done in another thread."""
        current_default_thread_limiter().total_tokens = _AT_ONCE
        return await run_in_threadpool(self._respond, request)

    def _respond(self, request: Request) -> Response:
        started = time.perf_counter()
        place = self._place(request.scope["path"])
        try:
            response = self._answer(request, place)
        except BadParameter as error:
            response = self._error(request, place, 400, error.reason, field=error.field)
        except Missing as error:
            response = self._error(request, place, 404, error.reason, hints=error.hints)
        except StillSearching as error:
            response = self._waiting(request, place, error)
        except DamagedFile as error:
            reason = f"{error.damage.path} {error.damage.reason}"
            response = self._error(request, place, 500, reason, damaged=True)
        except NewsdataError as error:
            response = self._error(request, place, 500, str(error), damaged=True)
        except Exception as error:
            print(f"newsdata: {place.path!r}: {type(error).__name__}: {error}"[:500], file=sys.stderr)
            reason = f"the page could not be made ({type(error).__name__}); the files of this version may be damaged"
            response = self._error(request, place, 500, reason, damaged=True)
        response.headers["server-timing"] = f"total;dur={1000 * (time.perf_counter() - started):.1f}"
        return response

    def _place(self, path: str) -> _Place:
        version, base = self._library.newest, ""
        if found := _VERSION.fullmatch(path):
            version, path = found["version"], found["rest"] or "/"
            base = f"/v/{quote(version, safe='')}"
        as_json = path.endswith(".json") and not path.startswith(("/static/", "/assets/"))
        path = path.removesuffix(".json") if as_json else path
        return _Place(version, base, path.lstrip("/") or "articles", as_json)

    def _answer(self, request: Request, place: _Place) -> Response:
        if place.path.startswith("static/"):
            return self._file(request, place)
        view = self._library.view(place.version)
        if place.path == "reload":
            return self._reload(request, place)
        if place.path.startswith("assets/"):
            return _picture(view, place)
        tag = self._tag(request, view)
        headers = {"etag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if (kept := self._kept.get(tag)) is not None:
            return Response(kept.body, 200, headers, kept.media_type)
        reader = Reader(request.scope["query_string"])
        head, _, name = place.path.partition("/")
        asked = Asked(view=view, base=place.base, reader=reader, name=name.removesuffix("/"))  # see name_in_address
        if place.path in _DOWNLOADS and not place.as_json:
            return _download(request, _DOWNLOADS[place.path](asked), headers)
        if place.path in _PAGES:
            answer = _PAGES[place.path](asked)
        elif head in _NAMED_PAGES and name:
            answer = _NAMED_PAGES[head](asked)
        else:
            raise Missing("there is no such page", ((f"{place.base}/", "all articles"),))
        response = self._response(place, answer, view, headers)
        if response.headers.get("etag") == tag:
            self._kept.put(tag, response)
        return response

    def _response(
        self, place: _Place, answer: Answer, view: View | None, headers: Mapping[str, str] | None = None
    ) -> Response:
        headers = dict(headers or {})
        if place.as_json:
            text = json.dumps(answer.data, ensure_ascii=False, default=str)
            body = text.encode("utf-8", "replace")
            return Response(body, answer.status, headers, "application/json")
        if view is not None and view.damaged:
            headers.pop("etag", None)  # the list of damaged files may grow
        page = self._renderer.page(answer, around(view, place.base, self._versions(place)) | {"path": place.path})
        return Response(page.encode("utf-8", "replace"), answer.status, headers, "text/html; charset=utf-8")

    def _versions(self, place: _Place) -> list[tuple[str, str, bool]]:
        return [(name, f"/v/{name}/", name == place.version) for name in reversed(self._library.names)]

    def _error(self, request: Request, place: _Place, status: int, reason: str, **more: Any) -> Response:
        """A page that says what is wrong and how to go on. The form is filled in as it was."""
        view = None
        try:
            view = self._library.view(place.version)
        except (Missing, NewsdataError, DamagedFile):
            place = _Place(self._library.newest, "", place.path, place.as_json)
        raw = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace")[:50]
        field = more.get("field")
        kept = {name: value for name, value in raw if name in ("q", "from", "to")}
        others = [pair for pair in raw if pair[0] in _OTHERS and pair[0] != field]
        facts = {
            "status": status, "reason": reason, "field": None, "hints": (), "damaged": False, "kept": kept,
            "others": others,
        } | more  # fmt: skip
        data = {"error": reason, "status": status} | ({"field": facts["field"]} if facts["field"] else {})
        answer = Answer(template="error", title=f"{status}", facts=facts, data=data, status=status)
        return self._response(place, answer, view)

    def _waiting(self, request: Request, place: _Place, search: StillSearching) -> Response:
        """A page that says how far the search is, and asks again by itself."""
        facts = {"done": search.done, "total": search.total, "words": request.query_params.get("q", "")}
        data = {"error": "still searching; ask again", "done": search.done, "of": search.total}
        answer = Answer(template="waiting", title="Searching", facts=facts, data=data, status=503)
        response = self._response(place, answer, self._library.view(place.version))
        response.headers["retry-after"] = "2"
        response.headers["refresh"] = "2"
        return response

    def _reload(self, request: Request, place: _Place) -> Response:
        """Read a version that changed on the disk anew, and go back to where the reader was."""
        self._library.reopen(place.version)
        back = request.query_params.get("to", "")
        good = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
        target = quote(back, safe="/?&=%:@+,;()!*'~-._$") if good else f"{place.base}/"
        return Response(status_code=303, headers={"location": target})

    def _tag(self, request: Request, view: View) -> str:
        parts = (
            self._build,
            view.digest,
            view.opened.stamp,
            view.has_changed,
            view.yanked,
            len(view.damaged),
            self._library.names,
        )
        asked = f"{parts}{request.scope['path']}?{request.scope['query_string']!r}"
        return f'"{hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:32]}"'

    def _file(self, request: Request, place: _Place) -> Response:
        """A file of the page itself."""
        if place.base or place.path.removeprefix("static/") not in self._static:
            raise Missing("there is no such file")
        content, media_type = self._static[place.path.removeprefix("static/")]
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        return Response(content, headers={"etag": tag}, media_type=media_type)


def _picture(view: View, place: _Place) -> Response:
    """A picture of the card. Its own policy forbids it everything."""
    if place.path not in picture_names(view.opened.manifest) or not is_regular(view.opened, place.path):
        raise Missing("there is no such picture")
    content = (view.opened.folder / place.path).read_bytes()
    media_type = "image/svg+xml" if place.path.endswith(".svg") else "image/png"
    return Response(content, headers={"content-security-policy": ASSET_POLICY}, media_type=media_type)


def _download(request: Request, download: Download, headers: Mapping[str, str]) -> Response:
    name = quote(download.name, safe="")
    plain = download.name.encode("ascii", "replace").decode().replace("?", "_")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{name}"
    headers = {**headers, "content-disposition": disposition}
    if request.method == "HEAD":
        return Response(headers=headers, media_type=download.media_type)
    return StreamingResponse(download.blocks, headers=headers, media_type=download.media_type)
