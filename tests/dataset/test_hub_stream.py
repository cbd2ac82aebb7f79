"""Parts of a file on the Hub: each is the part that was asked for, or an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from newsdata.dataset import hub_stream
from newsdata.dataset.hub_http import Answer, paced
from newsdata.dataset.hub_stream import open_on_the_hub, stream_address
from newsdata.errors import HubError

DATA = bytes(range(256)) * 8_000
ADDRESS = stream_address("lab/finews", "a" * 40, "articles/x.parquet")


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What a lie puts in the place of the true status, range or bytes."""
    lie: dict[str, object] = {}

    @contextmanager
    def opened(address: str, token: object, *, headers: Mapping[str, str]) -> Iterator[Answer]:
        first, last = map(int, headers["range"].removeprefix("bytes=").split("-"))
        said = {"content-range": str(lie.get("range", f"bytes {first}-{last}/{len(DATA)}"))}
        data = lie.get("data", DATA[first : last + 1])
        assert isinstance(data, bytes)
        yield Answer(int(str(lie.get("status", 206))), said, said, lambda most: paced([data], most))

    monkeypatch.setattr(hub_stream, "open_answer", opened)
    return lie


def test_any_part_is_read(answer: dict[str, object]) -> None:
    with open_on_the_hub(ADDRESS, len(DATA), None) as file:
        file.seek(-10, 2)
        assert file.read() == DATA[-10:] and file.read() == b""
        file.seek(100)
        assert file.read(5) == DATA[100:105] and file.tell() == 105
        file.seek(0)
        assert file.read() == DATA


@pytest.mark.parametrize(
    "lie",
    [{"status": 200}, {"range": "bytes 0-0/1"}, {"range": "all"}, {"data": b"short"}, {"data": b"x" * 3_000_000}],
    ids=str,
)
def test_something_else_than_the_part(answer: dict[str, object], lie: dict[str, object]) -> None:
    answer.update(lie)
    with open_on_the_hub(ADDRESS, len(DATA), None) as file, pytest.raises(HubError):
        file.read(10)


@pytest.mark.parametrize("address", ["hf://datasets/lab/x@main/y", "file:///etc/passwd", ""])
def test_other_addresses(address: str) -> None:
    with pytest.raises(HubError, match="no address of a file"):
        open_on_the_hub(address, 1, None)
