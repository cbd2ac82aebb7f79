"""How long the Hub asks to wait, and how long its client then waits."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import pytest

from newsdata.dataset.hub_waiting import asked_wait

from ..hub_client import Client
from ..hub_server import Fault, Hub
from .published import TEST, fetch


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "\u0665"}, None),  # a digit, but not one of HTTP
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 12 "}, 12.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "200"}, 60.0),
        ({"retry-after": "3600"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:09 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2099 07:28:09 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 99999 07:28:09 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:09 GMT", "date": "Wed, 21 Oct 2015 07:28:04 GMT"}, 5.0),
        ({"ratelimit": '"api";r=0;t=9'}, 9.0),
        ({"ratelimit": '"api";r=0;t=212'}, 60.0),
        ({"ratelimit": '"api";r=0;t=9999'}, None),
        ({"ratelimit": "nonsense"}, None),
    ],
)
def test_what_an_answer_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers) == seconds


def test_a_date_without_the_date_of_the_answer_is_compared_with_the_clock() -> None:
    found = asked_wait({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert found is not None and 25 < found <= 30


@pytest.mark.slow
@pytest.mark.parametrize("match", [r"^GET .*/refs", f"^GET .*{TEST}"])  # asked again by us, and by the client
def test_the_date_in_retry_after_is_waited_for(hub: Hub, client: Client, made: Path, name: str, match: str) -> None:
    until = time.time() + 2.5
    hub.faults.append(Fault("status", match, status=429, headers={"Retry-After": formatdate(until, usegmt=True)}))
    folder = fetch(client, name, "1.0.*", TEST)
    assert (folder / TEST).read_bytes() == (made / "1.0.0" / TEST).read_bytes()
    assert hub.faults[0].times == 0 and int(until) - 0.1 < time.time() < until + 3
