"""Files of a version that are not those of the manifest, and files beside them; copies as people have them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsdata.maintenance.check_files import DAMAGED_REMEDY, FilesChecked, check_files
from newsdata.storage.manifest import read_manifest

from ..dataset.published import put
from ..hub_client import Client
from ..hub_server import Hub
from ..versions import make_version

SHARD = "articles/test-2022-01-0000000.parquet"


@pytest.fixture
def version(tmp_path: Path) -> Path:
    return make_version(tmp_path / "out")


def check(folder: Path) -> FilesChecked:
    return check_files(folder, read_manifest(folder))


def write(folder: Path, *paths: str, data: bytes = b"x") -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def test_a_whole_version_is_good(version: Path) -> None:
    assert check(version) == FilesChecked(damaged=frozenset(), faults=(), notes=(), remedies=())


@pytest.mark.parametrize(
    ("data", "fault", "remedy"),
    [
        (lambda data: data[:-1], "has", DAMAGED_REMEDY),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "its bytes were changed (SHA-256 differs)", DAMAGED_REMEDY),
        (lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "is a pointer of Git LFS", "git lfs pull"),
    ],
    ids=["cut", "changed", "pointer"],
)  # fmt: skip
def test_a_damaged_file_is_one_fault_with_a_remedy(version: Path, data: object, fault: str, remedy: str) -> None:
    (version / SHARD).write_bytes(data((version / SHARD).read_bytes()))  # type: ignore[operator]
    found = check(version)
    assert found.damaged == {SHARD} and found.notes == ()
    assert len(found.faults) == 1 and found.faults[0].startswith(f"{SHARD}: {fault}")
    assert len(found.remedies) == 1 and remedy in found.remedies[0]


def test_what_is_no_regular_file_is_a_fault(version: Path, tmp_path: Path) -> None:
    for path in (SHARD, "README.md", "ledger.arrow"):
        (version / path).unlink()
    os.mkfifo(version / SHARD)
    (version / "ledger.arrow").mkdir()
    assert check(version).faults == (
        f"{SHARD}: is not a regular file", "README.md: is missing", "ledger.arrow: is not a regular file",
    )  # fmt: skip


def test_a_link_to_another_place_is_a_fault(version: Path, tmp_path: Path) -> None:
    """The bytes are right, but whoever may change the other place may change them later."""
    fault = "is a link, or in a folder that is a link, to another place"
    (version / SHARD).rename(tmp_path / "elsewhere")
    (version / SHARD).symlink_to(tmp_path / "elsewhere")
    assert check(version).faults == (f"{SHARD}: {fault}",)
    (version / "articles").rename(tmp_path / "folder")
    (version / "articles").symlink_to(tmp_path / "folder")
    (tmp_path / "folder" / "loop").symlink_to(tmp_path / "folder")
    (version / "README.md").unlink()
    (version / "README.md").symlink_to("README.md")
    shards = [shard.path for shard in read_manifest(version).shards]
    *others, readme = check(version).faults
    assert others == [f"{path}: {fault}" for path in shards] and readme.startswith("README.md: is ")


def test_what_tools_and_systems_leave_is_ignored(version: Path) -> None:
    write(
        version, "yanked.json", ".yanked.json", ".gitattributes", ".git/HEAD", ".git/objects/ab/cd", ".cache/huggingface/download/a.metadata",
        ".cache/huggingface/.gitignore", ".DS_Store", "articles/.DS_Store", "articles/Thumbs.db", "assets/desktop.ini",
        "articles/._train-2021-11-0000000.parquet",
    )  # fmt: skip
    found = check(version)
    assert (found.faults, found.notes) == ((), ())


def test_other_files_are_notes_and_in_a_data_folder_faults(version: Path) -> None:
    write(version, "notes.txt", ".cache/other", "assets/more.png", "articles/.train.parquet.swp", "a\x1b[31m.txt")
    found = check(version)
    assert found.faults == () and found.remedies == ()
    assert found.notes == tuple(
        f"{path}: is not in the manifest"
        for path in (".cache/other", r"a\x1b[31m.txt", "articles/.train.parquet.swp", "assets/more.png", "notes.txt")
    )
    write(version, "articles/train-2021-12-0000001.parquet", "posts/deep/in/it.txt")
    found = check(version)
    assert found.faults == tuple(
        f"{path}: is not in the manifest" for path in ("articles/train-2021-12-0000001.parquet", "posts/deep/in/it.txt")
    )
    assert len(found.remedies) == 1 and "move the extra files" in found.remedies[0] and found.damaged == frozenset()


def test_few_of_many_extra_files_are_listed(version: Path) -> None:
    write(version, *(f"more/{number:03}.txt" for number in range(50)))
    assert len(check(version).notes) == 21 and check(version).notes[-1] == "… and 30 more of this kind"


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Path]]:
    """A client of a hub that holds lab/one at v1.0.0, and a folder for downloads."""
    folder = tmp_path_factory.mktemp("downloads")
    with Hub(tmp_path_factory.mktemp("hub")) as hub:
        put(hub, "lab/one", make_version(folder / "out"))
        with Client(hub, folder) as client:
            yield client, folder


@pytest.mark.parametrize("into", ["cache", "folder"])
def test_a_download_is_good(into: str, downloads: tuple[Client, Path]) -> None:
    client, folder = downloads
    local = {"local_dir": folder / "copy"} if into == "folder" else {}
    copy = Path(client("api.snapshot_download", "lab/one", repo_type="dataset", revision="v1.0.0", **local))
    found = check(copy)
    assert (found.faults, found.notes) == ((), ())
    assert (copy / SHARD).is_symlink() == (into == "cache")
    assert (copy / ".gitattributes").exists() and (into == "cache" or (copy / ".cache" / "huggingface").is_dir())
    blob = (copy / SHARD).resolve()
    data = blob.read_bytes()
    blob.write_bytes(data[:-1] + b"?")
    assert check(copy).faults == (f"{SHARD}: its bytes were changed (SHA-256 differs)",)
    blob.write_bytes(data)
