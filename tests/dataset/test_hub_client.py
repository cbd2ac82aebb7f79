"""Calls to the Hub: which are repeated, and which error they end in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsdata.dataset import hub_client
from newsdata.dataset.hub_client import Unreachable, attempt, check_repo_id
from newsdata.errors import HubError, MachineError, VersionError

from ..hub_client import Client, Failed
from ..hub_server import STRANGER, Fault, Hub
from .published import NAME, TEST, fetch


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "_WAITS", (0.0, 0.0))


@pytest.mark.parametrize("name", ["finews", "lab/fi news", "lab/../finews", "a/b/c", ""])
def test_names_that_are_not_of_a_repository(name: str) -> None:
    with pytest.raises(HubError, match="is not the name of a repository"):
        check_repo_id(name)


def test_a_name_with_another_number_of_parts_is_told_the_form() -> None:
    for name in ("finews", "a/b/c"):
        with pytest.raises(HubError, match=r"; write owner/name, or \./name for a folder$"):
            check_repo_id(name)


def test_a_call_that_fails_for_a_moment_is_repeated() -> None:
    errors = iter([json.JSONDecodeError("x", "", 0), OSError("Consistency check failed: 1 of 2 bytes")])
    said: list[str] = []

    def call() -> str:
        for error in errors:
            raise error
        return "answer"

    assert attempt(call, "lab/finews", report=said.append) == "answer"
    assert len(said) == 2 and all(line.startswith("lab/finews: ") and "again in" in line for line in said)


def test_a_call_is_not_repeated_for_ever() -> None:
    tries = []

    def call() -> None:
        tries.append(1)
        raise json.JSONDecodeError("no JSON", "", 0)

    with pytest.raises(HubError, match="no JSON"):
        attempt(call, "lab/finews")
    assert len(tries) == 3


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (OSError(28, "No space left on device", "/cache/x"), MachineError, "/cache/x: the system said: No space left"),
        (ValueError("two\nlines"), HubError, "lab/finews: two lines"),
        (ValueError(), HubError, "lab/finews: ValueError"),
        (VersionError("there is no such version"), VersionError, "there is no such version"),
    ],
)
def test_an_error_that_stays_is_not_repeated(error: Exception, kind: type[Exception], said: str) -> None:
    tries = []

    def call() -> None:
        tries.append(1)
        raise error

    with pytest.raises(kind, match=said):
        attempt(call, "lab/finews")
    assert len(tries) == 1


def test_the_innermost_error_is_told() -> None:
    def call() -> None:
        try:
            raise ValueError("what went wrong")
        except ValueError as error:
            raise RuntimeError("something went wrong") from error

    with pytest.raises(HubError, match="what went wrong") as caught:
        attempt(call, "lab/finews")
    assert isinstance(caught.value.__cause__, ValueError)


def test_unreachable_is_an_error_of_the_hub() -> None:
    assert issubclass(Unreachable, HubError)


@pytest.mark.parametrize(("name", "token"), [("lab/nothing", None), (NAME, STRANGER)])
def test_nobody_learns_whether_a_private_repository_exists(client: Client, name: str, token: str | None) -> None:
    with pytest.raises(Failed, match="no such dataset repository, or this token may not see it") as caught:
        client("dataset.hub_revisions.resolve", name, "1.0.0", token=token)
    assert caught.value.kind == "HubError"


@pytest.mark.parametrize(
    "match",
    [
        *("/refs", f"^GET .*{TEST}"),
        pytest.param("^GET .*manifest.json", marks=pytest.mark.slow),
    ],
)
def test_a_busy_hub_is_asked_again(hub: Hub, client: Client, made: Path, name: str, match: str) -> None:
    hub.faults.append(Fault("status", match))
    folder = fetch(client, name, "1.0.*", TEST)
    assert (folder / TEST).read_bytes() == (made / "1.0.0" / TEST).read_bytes()
    assert hub.faults[0].times == 0


@pytest.mark.slow
def test_a_hub_that_answers_only_with_errors_cannot_be_reached(hub: Hub, client: Client, name: str) -> None:
    fetch(client, name, "1.0.0", TEST)
    hub.faults.append(Fault("status", times=99))
    assert client("dataset.hub_revisions.resolve", name, "1.0.0")["offline"]
    with pytest.raises(Failed, match="it answers 503"):
        client("dataset.hub_revisions.resolve", name, "1.*")


@pytest.mark.slow
@pytest.mark.parametrize("status", [408, 429])
def test_one_busy_answer_at_any_request_of_a_load(hub: Hub, made: Path, tmp_path: Path, status: int) -> None:
    want = (made / "1.10.0" / TEST).read_bytes()
    with Client(hub, tmp_path / "first") as first:
        for revision in ("1.10.0", "1.*"):
            fetch(first, NAME, revision, "articles/*")
    asked = len(hub.log)
    assert asked >= 8
    for number in range(asked):
        fault = Fault("status", status=status, skip=number, headers={"Retry-After": "0"})
        hub.faults[:] = [fault]
        with Client(hub, tmp_path / str(number)) as client:
            for revision in ("1.10.0", "1.*"):
                assert (fetch(client, NAME, revision, "articles/*") / TEST).read_bytes() == want, number
        assert fault.times == 0, number


@pytest.mark.parametrize("status", [400, 404, 409, 422, 451])
def test_a_refusal_is_told_in_the_words_of_the_hub(hub: Hub, client: Client, name: str, status: int) -> None:
    words = "no more\x1b[31m of\nthis \u202e" + 2000 * "x"
    hub.faults.append(Fault("status", "/refs", status=status, message=words))
    with pytest.raises(Failed) as caught:
        client("dataset.hub_revisions.resolve", name, "1.*")
    said = caught.value.message
    assert caught.value.kind == "HubError" and "the Hub refused: no more\\x1b[31m of this " in said
    assert said.isprintable() and len(said) < 500
    assert len(hub.requests("/refs")) == 1, "it is not asked again"


def test_an_answer_of_another_form(hub: Hub, client: Client, name: str) -> None:
    hub.faults.append(Fault("status", "/refs", status=200, message="hello"))
    with pytest.raises(Failed, match="not of the form that its client expects") as caught:
        client("dataset.hub_revisions.resolve", name, "1.*")
    assert caught.value.kind == "HubError"
