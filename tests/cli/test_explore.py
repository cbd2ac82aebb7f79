"""The command `explore` as a process: its first line, its end, a taken port, the cache, and what it says without its extra."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from newsdata.cli.main import cli

from ..conftest import ROOT, run_newsdata
from ..dataset.published import put
from ..hub_server import Hub

pytest.importorskip("starlette")


@contextmanager
def exploring(*arguments: object, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running page: its address, and the process."""
    command = [sys.executable, "-m", "newsdata", "explore", "--no-open", *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def status(address: str, method: str = "GET", **headers: str) -> int:
    try:
        with urlopen(Request(address, method=method, headers=headers), timeout=30) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_first_line_is_the_address_and_a_stop_ends_it(demo: Path, stop: signal.Signals) -> None:
    with exploring(demo, "--port", 0) as (address, process):
        assert address.startswith("http://127.0.0.1:")
        assert status(address) == 200
        assert status(address, "POST") == 405
        assert status(address, Host="evil.example") == 421
        assert status(f"{address}static/../../etc/passwd") == 404
        with urlopen(f"{address}articles.json?split=test", timeout=30) as response:
            assert json.load(response)["total"] == 3
        process.send_signal(stop)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert errors.splitlines() == ["newsdata: stopped"]


@pytest.mark.slow
def test_a_taken_port_is_named_and_the_next_one_used(demo: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with exploring(demo / "1.0.0", "--port", port, "--allow-host", "notebook.example:443") as (address, process):
            assert address != f"http://127.0.0.1:{port}/"
            assert status(address, Host="notebook.example:443") == 200
            process.send_signal(signal.SIGINT)
            assert f"port {port} is taken" in process.communicate(timeout=30)[1]


@pytest.mark.slow
def test_a_version_on_the_hub_is_fetched_first(demo: Path, tmp_path: Path) -> None:
    with Hub(tmp_path / "hub") as hub:
        put(hub, "lab/news", demo / "1.0.0")
        with exploring("lab/news", "--port", 0, **hub.environment(tmp_path / "home")) as (address, _):
            with urlopen(f"{address}articles.json", timeout=30) as response:
                assert json.load(response)["total"] == 35
            for page in ("about", "rejects", "clusters", "v/1.0.0/", "article/202202102275500014"):
                assert status(f"{address}{page}") == 200, page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "there is no dataset here"),
        (["{demo}", "--revision", "9.9.9"], "there is no version 9.9.9; there are: 1.0.0"),
        (["{demo}", "--allow-host", "no port"], "is not of the form HOST:PORT"),
        ([], "Missing argument 'DIR'"),
    ],
)
def test_what_cannot_be_explored(demo: Path, arguments: list[str], words: str) -> None:
    found = run_newsdata("explore", "--port", "0", *(argument.format(demo=demo) for argument in arguments))
    assert found.returncode == 2
    assert words in found.stderr
    assert found.stdout == ""


@pytest.mark.slow
def test_the_cache_can_be_cleared(tmp_path: Path) -> None:
    folder = tmp_path / "newsdata" / "explore"
    folder.mkdir(parents=True)
    (folder / "x.arrow").write_bytes(b"x" * 1_500_000)
    found = run_newsdata("explore", "--clear-cache", XDG_CACHE_HOME=str(tmp_path))
    assert found.returncode == 0
    assert "removed 1.5 MB" in found.stderr
    assert not folder.exists()


def test_without_the_extra_it_says_which_one_to_install(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "uvicorn" else find(name, *rest)
    )
    found = CliRunner().invoke(cli, ["explore", str(demo)])
    assert "the page needs uvicorn" in str(found.exception)
    assert "pip install 'newsdata[explore]'" in str(found.exception)
