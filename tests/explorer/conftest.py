"""A built archive to look at, and a client that asks for pages without a socket."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")

from starlette.testclient import TestClient

import newsdata
from newsdata.dataset.open_version import find_version
from newsdata.explorer.app import make_app
from newsdata.explorer.opened import open_for_page
from newsdata.explorer.safety import Guard, loopback_names
from newsdata.explorer.serve import open_library
from newsdata.explorer.view import View

from ..conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from make_archive import make_archive


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic archive of 300 posts, built once: the folder that holds version 1.0.0."""
    root = tmp_path_factory.mktemp("explorer")
    make_archive(root / "source", posts=300)
    newsdata.build(root / "source", root / "out", num_proc=1)
    return root / "out"


@pytest.fixture(scope="session")
def view(archive: Path) -> View:
    """The archive, opened."""
    return View(open_for_page(find_version(archive)), shown_path=str(archive))


def client_of(folder: Path | str, **options: Any) -> TestClient:
    """A client of the page over a folder."""
    library = open_library(str(folder), **options)
    return TestClient(
        Guard(make_app(library), loopback_names(8765)), base_url="http://127.0.0.1:8765", follow_redirects=False
    )


@pytest.fixture(scope="session")
def page(archive: Path) -> TestClient:
    """A client of the page over the archive."""
    return client_of(archive)


@pytest.fixture(scope="session")
def demo_page(demo: Path) -> TestClient:
    """A client of the page over the example."""
    return client_of(demo)
