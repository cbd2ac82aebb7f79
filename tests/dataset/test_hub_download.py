"""One file of a commit in the cache: its name is the hash of its bytes, whatever the Hub says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsdata.dataset import hub_download
from newsdata.dataset.hub_cache import git_hash
from newsdata.dataset.hub_client import Place
from newsdata.dataset.hub_download import download
from newsdata.dataset.hub_http import Answer, paced
from newsdata.errors import HubError, VerifyError
from newsdata.storage.manifest import File

COMMIT, DATA = "a" * 40, b"hello"
SHA256 = hashlib.sha256(DATA).hexdigest()
LISTED = File(path="x/y", bytes=5, sha256=SHA256)


class Fake:
    """A Hub that answers every request with the same bytes and headers."""

    def __init__(self, folder: Path) -> None:
        self.place = Place("lab/finews", None, folder)
        self.repository = folder / "datasets--lab--finews"
        self.data, self.headers, self.asked = DATA, {"x-repo-commit": COMMIT, "etag": f'"{git_hash(DATA)}"'}, 0

    @contextmanager
    def opened(self, address: str, token: object) -> Iterator[Answer]:
        self.asked += 1
        yield Answer(200, self.headers, self.headers, lambda most: paced([self.data], most))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake(tmp_path)
    monkeypatch.setattr(hub_download, "open_answer", fake.opened)
    return fake


@pytest.mark.parametrize("etag", [f'"{git_hash(DATA)}"', f'W/"{git_hash(DATA)}"', f'"{SHA256}"', SHA256])
def test_a_file_is_named_by_its_hash(hub: Fake, etag: str) -> None:
    hub.headers["etag"] = etag
    found = download(hub.place, COMMIT, "x/y")
    assert found == hub.repository / "snapshots" / COMMIT / "x/y" and found.read_bytes() == DATA
    assert found.is_symlink() and found.resolve().name == etag.removeprefix("W/").strip('"')
    assert [path.name for path in (hub.repository / "blobs").iterdir()] == [found.resolve().name]
    assert download(hub.place, COMMIT, "x/y", offline=True) == found and hub.asked == 1
    assert download(hub.place, COMMIT, "x/y", force=True) == found and hub.asked == 2


@pytest.mark.parametrize("etag", ["", '"../../x"', '"' + "0" * 64 + '"', '"a\0b"', "x" * 10_000])
def test_another_hash_than_the_hub_gives(hub: Fake, etag: str) -> None:
    hub.headers["etag"] = etag
    with pytest.raises(VerifyError, match="does not have the hash"):
        download(hub.place, COMMIT, "x/y")
    assert not [*(hub.repository / "blobs").iterdir()] and not (hub.repository / "snapshots").exists()
    assert download(hub.place, COMMIT, "x/y", listed=LISTED).resolve().name == SHA256, "the manifest vouches for it"


@pytest.mark.parametrize("commit", ["", "../../x", "b" * 40, "A" * 40])
def test_an_answer_for_another_commit(hub: Fake, commit: str) -> None:
    hub.headers["x-repo-commit"] = commit
    with pytest.raises(HubError, match="the commit of its answer is"):
        download(hub.place, COMMIT, "x/y")
    with pytest.raises(HubError, match="is no commit"):
        download(hub.place, commit.replace("b", "../") or "x", "x/y")


def test_the_newest_commit_is_remembered(hub: Fake) -> None:
    found = download(hub.place, "main", "x")
    assert found.parent.name == COMMIT and (hub.repository / "refs/main").read_text() == COMMIT
    assert download(hub.place, "main", "x", offline=True) == found
    with pytest.raises(HubError, match="y is not in the cache"):
        download(hub.place, "main", "y", offline=True)


@pytest.mark.parametrize(("data", "kind"), [(b"hellO", VerifyError), (b"hello!", HubError), (b"hell", VerifyError)])
def test_other_bytes_than_the_manifest_names(hub: Fake, data: bytes, kind: type[Exception]) -> None:
    hub.data = data
    with pytest.raises(kind):
        download(hub.place, COMMIT, "x/y", listed=LISTED)
    assert not [*(hub.repository / "blobs").iterdir()]


def test_bytes_that_the_cache_has_are_not_fetched(hub: Fake) -> None:
    download(hub.place, COMMIT, "x/y", listed=LISTED)
    hub.headers["etag"], hub.headers["x-repo-commit"] = f'"{SHA256}"', "b" * 40
    download(hub.place, "b" * 40, "z", force=True)
    assert download(hub.place, "b" * 40, "x/y", listed=LISTED).resolve().name == SHA256 and hub.asked == 2
    for blob in (hub.repository / "blobs").iterdir():
        blob.write_bytes(b"hellO")
    hub.headers["x-repo-commit"] = COMMIT
    assert download(hub.place, COMMIT, "x/y", listed=LISTED).read_bytes() == DATA and hub.asked == 3
