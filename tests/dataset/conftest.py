"""A hub on the loopback with four versions and clients for it, and a version with near-copies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import newsdata

from ..conftest import many_posts, write_archive
from ..hub_client import Client
from ..hub_server import Hub
from ..versions import make_version
from .copies import FIRST, LATER, REPRINT, STORY, TWIN, story
from .published import NAME, TEST, VERSIONS, fetch, put


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the versions."""
    out = tmp_path_factory.mktemp("out")
    for version in VERSIONS:
        make_version(out, version, note=version)
    return out


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub")) as hub:
        for version in VERSIONS:
            put(hub, NAME, made / version)
        yield hub


@pytest.fixture
def hub(running: Hub) -> Iterator[Hub]:
    """The hub, with an empty log; faults of the test are taken away at its end."""
    running.log.clear()
    yield running
    running.faults.clear()


@pytest.fixture(scope="module")
def client(running: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(running, tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture
def name(request: pytest.FixtureRequest, hub: Hub, made: Path) -> str:
    """A repository of the test's own with 1.0.0 and 1.9.0, of which nothing is cached."""
    name = "lab/" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    for version in VERSIONS[:2]:
        put(hub, name, made / version)
    return name


@pytest.fixture(params=["stopped", "offline"])
def away(request: pytest.FixtureRequest, made: Path, tmp_path: Path) -> Iterator[Client]:
    """A client with 1.0.0 (test only) and 2.0.0 in its cache, for which the hub cannot be reached any more."""
    with Hub(tmp_path / "hub") as hub:
        for version in VERSIONS:
            put(hub, NAME, made / version)
        with Client(hub, tmp_path) as before:
            fetch(before, NAME, "2.0.0", "articles/*")
            fetch(before, NAME, "1.0.0", TEST)
            fetch(before, NAME, "main")
        if request.param == "stopped":
            hub.stop()
        with Client(hub, tmp_path, HF_HUB_OFFLINE=str(int(request.param == "offline"))) as client:
            client("dataset.hub_revisions.is_version", "1.0.0")  # wait until the process has started
            yield client


@pytest.fixture(scope="module")
def with_copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions of an archive in which one story has three copies."""
    folder = tmp_path_factory.mktemp("copies")
    files = many_posts(20) | dict(
        [
            story(FIRST, "2022-03-05", STORY, "海报", "码头今晨"),
            story(REPRINT, "2022-03-06", STORY[:11], "江报", "转载：码头"),
            story(TWIN, "2022-03-06", [*STORY, "编辑按：此文较长，值得一读。"], "湖报", "码头长文"),
            story(LATER, "2022-03-09", STORY[1:], "河报", "旧闻：码头"),
        ]
    )
    newsdata.build(write_archive(folder / "archive", files), folder / "out", num_proc=1)
    return folder / "out"
