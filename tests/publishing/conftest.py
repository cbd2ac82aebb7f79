"""A hub on the loopback, a client for it, and two versions to publish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..hub_client import Client
from ..hub_server import Hub
from ..versions import make_version
from .sending import LATER


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub"), page=5) as started:
        yield started


@pytest.fixture
def hub(running: Hub) -> Iterator[Hub]:
    """The hub, with no faults, an empty log, and no large file that another test has sent."""
    running.log.clear()
    running.release.clear()
    running.held.clear()
    for path in (running.root / "lfs").iterdir():
        path.unlink()
    yield running
    running.faults.clear()


@pytest.fixture(scope="module")
def owner(running: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(running, tmp_path_factory.mktemp("home")) as client:
        yield client


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with versions 1.0.0 and 1.1.0, of one more month."""
    out = tmp_path_factory.mktemp("out")
    make_version(out, "1.0.0")
    make_version(out, "1.1.0", months=LATER)
    return out


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A repository of the test's own."""
    return "lab/" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
