"""Leases: one holder, renewed while it lives, taken over when it is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from newsdata.errors import MachineError
from newsdata.graph.lease import LEASE_NAME, leased
from newsdata.objects import Objects

from ..objects_server import Faults, ObjectStoreServer


@pytest.fixture(params=["s3", "file"])
def out(request: pytest.FixtureRequest, server: ObjectStoreServer, tmp_path: Path) -> Objects:
    return Objects(url=tmp_path.as_uri() if request.param == "file" else server.bucket())


def edit(out: Objects, **changes: object) -> None:
    data = msgspec.json.decode(out.read(LEASE_NAME, 10_000) or b"{}")
    out.put(LEASE_NAME, msgspec.json.encode(data | changes))


@pytest.mark.slow
def test_one_of_many_holds_it(out: Objects) -> None:
    start, done = threading.Barrier(8), threading.Barrier(8)

    def work(number: int) -> str:
        start.wait()
        try:
            with leased(out, work=f"build {number}"):
                done.wait()
                return "held"
        except MachineError as error:
            done.wait()
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    assert found.count("held") == 1
    assert all("is at work here" in one and "wait for it to end" in one for one in found if one != "held")
    with leased(out) as lease:
        lease.check()
    with leased(out):
        pass


@pytest.mark.slow
def test_it_is_renewed_while_its_holder_lives(out: Objects) -> None:
    with leased(out, seconds=0.6) as lease:
        first = out.read(LEASE_NAME, 10_000)
        time.sleep(1.0)
        lease.check()
        assert out.read(LEASE_NAME, 10_000) != first


@pytest.mark.slow
def test_it_is_taken_over_after_its_end(out: Objects) -> None:
    with leased(out, seconds=1000) as first:
        with (
            pytest.raises(MachineError, match=r"process \d+ on .*if it was killed, run this again after 20\d\d-.*UTC"),
            leased(out),
        ):
            pass
        edit(out, expires=time.time() - 1)
        with leased(out, seconds=0.4) as second:
            second.check()
            assert not first._write_again(), "the first holder cannot renew it"
            time.sleep(0.3)
            second.check()


@pytest.mark.slow
def test_one_that_has_ended_is_watched_first(
    server: ObjectStoreServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    out = Objects(url=server.bucket())
    with leased(out, seconds=0.6) as lease:
        with monkeypatch.context() as patch:
            patch.setattr("newsdata.graph.lease.time.time", lambda: 4e9)  # our clock is years ahead of the holder's
            with pytest.raises(MachineError, match="is at work here"), leased(out, seconds=0.6):
                pass
        lease.check()
    out.put(LEASE_NAME, msgspec.json.encode({"owner": "gone", "expires": time.time() - 1, "host": "elsewhere"}))
    caplog.clear()
    begin = time.monotonic()
    with leased(out, seconds=0.4):
        assert time.monotonic() - begin >= 0.4
    assert [one.levelname for one in caplog.records] == ["WARNING"], "who waits is told so"
    assert "UTC; it is watched for 0 seconds, because clocks differ" in caplog.text
    out.put(LEASE_NAME, msgspec.json.encode({"owner": "elsewhere", "expires": 4e9 - 0.5}))
    with pytest.raises(MachineError, match=r"run this again after 2096-10-02 07:06:40 UTC, and it goes on 60 seconds"):
        leased(out).__enter__()


@pytest.mark.slow
def test_a_holder_learns_that_it_lost_it(out: Objects) -> None:
    with leased(out) as lease:
        lease.renew()
        edit(out, owner="somebody else")
        lease.check()
        for ask in (lease.renew, lease.check):
            with pytest.raises(MachineError, match="the lease of this folder was lost"):
                ask()
        out.delete([LEASE_NAME])
    with leased(out, seconds=0.4) as lease:
        edit(out, owner="somebody else")
        time.sleep(0.5)
        with pytest.raises(MachineError, match="the lease of this folder was lost"):
            lease.check()
    assert b"somebody else" in (out.read(LEASE_NAME, 10_000) or b""), "it is not given back by the first holder"


@pytest.mark.slow
def test_a_killed_process_of_this_machine_is_seen_at_once(out: Objects) -> None:
    code = (
        "import os, signal; from newsdata.graph.lease import leased; from newsdata.objects import Objects\n"
        f"with leased(Objects(url={out.url!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with leased(out) as lease:
        lease.check()


@pytest.mark.slow
def test_one_of_another_machine_is_waited_for(out: Objects) -> None:
    with leased(out):
        pass
    for other in ({"host": "elsewhere"}, {"life": "another start"}, {"life": ""}):
        with leased(out):
            held = out.read(LEASE_NAME, 10_000) or b""
        out.put(LEASE_NAME, held)
        edit(out, process=2**22 + 1, **other)
        with pytest.raises(MachineError, match="is at work here"), leased(out):
            pass
        out.delete([LEASE_NAME])


@pytest.mark.parametrize(
    "data", [b"", b"[1]", b'{"owner": 1}', b'{"expires": "x"}', b"[" * 10_000, b'{"host": "%s"}' % (b"x" * 999)]
)
def test_one_that_cannot_be_read_is_not_taken(out: Objects, data: bytes) -> None:
    out.put(LEASE_NAME, data)
    with (
        pytest.raises(
            MachineError, match=r"lease.json: the lease of this folder cannot be read; if nothing is at work"
        ),
        leased(out),
    ):
        pass


def test_a_time_without_end_is_told(out: Objects) -> None:
    out.put(LEASE_NAME, b'{"owner": "x", "expires": 1e300}')
    with pytest.raises(MachineError, match="a time that is no time"), leased(out):
        pass


@pytest.mark.slow
def test_a_store_that_fails(server: ObjectStoreServer) -> None:
    out = Objects(url=server.bucket())
    server.faults = Faults(lose_every=2, fail_every=7)
    with leased(out, seconds=3) as lease:
        time.sleep(1.5)
        lease.check()
    server.faults = Faults()
    with leased(out):
        pass
