"""Files of one commit: only those asked for are fetched, and each is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsdata.storage.manifest import hash_file

from ..hub_client import Client, Failed
from ..hub_server import Fault, Hub
from ..versions import make_version
from .published import NAME, TEST, fetch, put, spoil

DOWNLOADS = r"^GET /datasets/.*/resolve/(?!main/)"


@pytest.mark.slow
def test_only_files_that_are_asked_for_are_fetched(hub: Hub, client: Client, made: Path, name: str) -> None:
    folder = fetch(client, name, "1.0.0", "articles/test-*", "README.md")
    assert (folder / TEST).read_bytes() == (made / "1.0.0" / TEST).read_bytes()
    fetched = {line.path.split("/", 5)[5] for line in hub.requests(DOWNLOADS)}
    assert {path.split("/", 1)[1] for path in fetched} == {"manifest.json", "README.md", TEST}
    hub.log.clear()
    assert fetch(client, name, "1.0.0", TEST) == folder
    assert not hub.requests(DOWNLOADS)
    fetch(client, name, "1.9.0", TEST)
    assert not hub.requests(rf"{DOWNLOADS}.*parquet"), "the same bytes are in the cache"


@pytest.mark.slow
def test_a_broken_download_goes_on_where_it_broke(hub: Hub, client: Client, tmp_path: Path) -> None:
    big = make_version(tmp_path, "1.0.0", months={"train": ("2021-11",)}, rows=60_000)
    path = "articles/train-2021-11-0000000.parquet"
    put(hub, "lab/big", big)
    hub.faults.append(Fault("drop", f"^GET .*{path}", after=100_000))
    folder = fetch(client, "lab/big", "1.0.0", path)
    assert hash_file(folder / path) == hash_file(big / path)
    assert [line.sent for line in hub.requests(f"^GET .*{path}")] == [100_000, (big / path).stat().st_size]


@pytest.mark.slow
def test_bytes_that_do_not_match_the_manifest(hub: Hub, client: Client, made: Path, name: str) -> None:
    hub.faults.append(Fault("corrupt", f"^GET .*{TEST}", times=2))
    with pytest.raises(Failed, match="do not match the manifest") as caught:
        fetch(client, name, "1.0.0", "articles/*")
    assert caught.value.kind == "VerifyError" and caught.value.faults == [TEST]
    folder = fetch(client, name, "1.0.0", "articles/*")
    assert (folder / TEST).read_bytes() == (made / "1.0.0" / TEST).read_bytes()


@pytest.mark.parametrize("path", [TEST, "manifest.json"])
def test_a_damaged_file_of_the_cache_is_fetched_again(client: Client, made: Path, name: str, path: str) -> None:
    folder = fetch(client, name, "1.0.0", TEST)
    spoil(folder / path)
    assert fetch(client, name, "1.0.0", TEST) == folder
    assert (folder / path).read_bytes() == (made / "1.0.0" / path).read_bytes()


@pytest.mark.slow
def test_without_the_hub_a_missing_or_damaged_file_is_an_error(away: Client) -> None:
    with pytest.raises(Failed, match="does not hold articles/train-2021-11"):
        fetch(away, NAME, "1.0.0", "articles/*")
    spoil(fetch(away, NAME, "1.0.0", TEST) / TEST)
    with pytest.raises(Failed, match=f"does not hold {TEST}") as caught:
        fetch(away, NAME, "1.0.0", TEST)
    assert caught.value.kind == "HubError"
