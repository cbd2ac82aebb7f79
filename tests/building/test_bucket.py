"""A build into a bucket: the same bytes as in a folder, whatever the store does; nothing half is ever seen."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.building.bucket import mark_staged
from newsdata.errors import MachineError, ManifestError
from newsdata.objects import Objects

from ..conftest import ROOT, many_posts, run_newsdata, write_archive
from ..objects_server import Faults, ObjectStoreServer
from ..source_files import git
from .edited_archive import digests
from .executors import OnOtherHosts


@pytest.fixture
def out(server: ObjectStoreServer) -> Objects:
    return Objects(url=f"{server.bucket()}/finews")


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where builds into a bucket keep their copies; nothing of them is left."""
    folder = tmp_path / "scratch"
    monkeypatch.setenv("NEWSDATA_SCRATCH", str(folder))
    yield folder
    assert not folder.exists() or list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An archive, and the same one some days later."""
    root = tmp_path_factory.mktemp("archives")
    files = many_posts(20)
    first = write_archive(root / "first", dict(list(files.items())[:50]))
    return first, write_archive(root / "second", files)


def build(source: object, out: object, **options: Any) -> newsdata.Build:
    return newsdata.build(str(source), str(out), num_proc=1, **options)


def bucket_digests(out: Objects, version: str) -> dict[str, str]:
    """Path -> SHA-256 of every object of a version."""
    found = {}
    for name, size in out.inside(version).names():
        data = out.inside(version).read(name, size)
        assert data is not None
        found[name] = hashlib.sha256(data).hexdigest()
    return found


LEFT = [".newsdata/lease.json", "README.md"]
"""What is there besides versions and cache: the lease, marked as free."""


def names(out: Objects) -> list[str]:
    """What is there besides versions and cache."""
    return [name for name, _ in out.names() if name[0] not in "0123456789" and not name.startswith(".newsdata/cache/")]


# ------------------------------------------------------------------------------------------------- the same bytes


@pytest.mark.slow
@pytest.mark.parametrize("text", ["full", "none"])
def test_versions_are_those_of_a_folder(archives: tuple[Path, Path], out: Objects, tmp_path: Path, text: str) -> None:
    for number, archive in enumerate(archives):
        here = build(archive, tmp_path / "out", text=text)
        there = build(archive, out, text=text)
        assert there.version == here.version == f"1.{number}.0" and there.created
        assert there.address == f"{out.url}/{here.version}" and here.address == str(here.path)
        assert bucket_digests(out, here.version) == digests(here.path)
        assert there.manifest == here.manifest and there.difference == here.difference and there.notes == here.notes
    assert names(out) == LEFT
    assert out.read("README.md", 1 << 20) == (tmp_path / "out" / "README.md").read_bytes()
    again = build(archives[1], out)
    assert not again.created and again.address == f"{out.url}/1.1.0" and again.stages["list"]["ran"] == 0
    assert [name for name, _ in out.names(".newsdata/cache")] == [
        f".newsdata/cache/{path.name}" for path in sorted((tmp_path / "out" / ".newsdata" / "cache").iterdir())
    ]


@pytest.mark.slow
def test_other_hosts_have_all_that_tasks_read(out: Objects, tmp_path: Path) -> None:
    """Also the files of the version before, which lie in the bucket."""
    archive, hosts = tmp_path / "in", OnOtherHosts(tmp_path / "hosts")
    for days in (2, 3):
        write_archive(archive, many_posts(days))
        assert build(archive, out, executor=hosts).created
    next(iter(archive.glob("_posts/*"))).unlink()  # now the posts of the version before are read
    made = build(archive, out, executor=hosts)
    here = [build(write_archive(tmp_path / "here", many_posts(days)), tmp_path / "out") for days in (2, 3)]
    assert [one.version for one in here] == ["1.0.0", "1.1.0"]
    shutil.rmtree(tmp_path / "here")
    here.append(build(shutil.copytree(archive, tmp_path / "here"), tmp_path / "out"))
    assert made.created and bucket_digests(out, made.version) == digests(here[-1].path)


@pytest.mark.slow
def test_a_git_history(out: Objects, tmp_path: Path) -> None:
    files = many_posts(12)
    repository = write_archive(tmp_path / "site", dict(list(files.items())[:20]))
    git(repository, "init", "-q")
    for number in range(2):
        write_archive(repository, dict(list(files.items())[: 20 + 16 * number]))
        git(repository, "add", ".")
        git(repository, "commit", "-qm", "posts")
        here, there = (build(f"{repository}@HEAD", where, history=True) for where in (tmp_path / "out", out))
        assert there.created and bucket_digests(out, there.version) == digests(here.path)


@pytest.mark.slow
def test_the_next_version_in_a_bucket_follows_one_that_was_copied_there(
    archives: tuple[Path, Path], out: Objects, tmp_path: Path
) -> None:
    first = build(archives[0], tmp_path / "out")
    for path in sorted(first.path.rglob("*")):
        if path.is_file():
            out.put(path.relative_to(tmp_path / "out").as_posix(), path)
    here, there = (build(archives[1], where) for where in (tmp_path / "out", out))
    assert there.created and bucket_digests(out, "1.1.0") == digests(here.path)


@pytest.mark.slow
def test_versions_follow_each_other_between_folder_and_bucket(
    archives: tuple[Path, Path], out: Objects, tmp_path: Path
) -> None:
    build(archives[0], out)
    here = build(archives[1], tmp_path / "out", base=f"{out.url}/1.0.0")
    assert here.created and here.difference and here.difference.bump == "minor"
    there = build(archives[1], out)
    assert digests(here.path) == bucket_digests(out, there.version)
    first = build(archives[0], tmp_path / "first")
    beside = Objects(url=f"{out.url}-beside")
    for base in (first.path, f"{out.url}/1.0.0"):
        made = build(archives[1], beside, base=base, version="1.1.0" if base == first.path else "2.0.0")
        assert made.created and made.manifest.shards == here.manifest.shards
    with pytest.raises(ManifestError, match="there is no version here"):
        build(archives[1], out, base=f"{out.url}/1.0.7")


@pytest.mark.slow
def test_without_a_cache(archives: tuple[Path, Path], out: Objects, tmp_path: Path) -> None:
    here = build(archives[0], tmp_path / "out")
    build(archives[0], out, cache=False)
    assert bucket_digests(out, "1.0.0") == digests(here.path)
    assert {name.partition("/")[0] for name, _ in out.names()} == {".newsdata", "1.0.0", "README.md"}
    assert names(out) == LEFT


@pytest.mark.slow
def test_only_shards_that_differ_are_fetched(
    archives: tuple[Path, Path], server: ObjectStoreServer, out: Objects
) -> None:
    build(archives[0], out)
    server.requests.clear()
    made = build(archives[1], out)
    old = {shard.sha256 for shard in made.manifest.shards}
    fetched = [
        found.path
        for found in server.requests
        if found.method == "GET" and found.path.partition("?")[0].endswith(".parquet")
    ]
    assert fetched and not any(
        shard.path in path for shard in made.manifest.shards for path in fetched if shard.sha256 not in old
    )
    server.requests.clear()
    build(archives[1], out)
    assert not [found for found in server.requests if ".parquet" in found.path]


# ---------------------------------------------------------------------------------------------- stores that fail


@pytest.mark.slow
@pytest.mark.parametrize(
    "faults",
    [
        Faults(lose_every=7, fail_every=20, hide_new=2),
        Faults(lose_every=3),
        Faults(fail_every=5),
        Faults(hide_new=2),
    ],
    ids=["all", "lost answers", "refusals", "late lists"],
)
def test_a_store_that_fails(
    archives: tuple[Path, Path], server: ObjectStoreServer, out: Objects, tmp_path: Path, faults: Faults
) -> None:
    def patiently(archive: Path) -> newsdata.Build:
        server.faults = faults
        try:
            return build(archive, out)
        except MachineError as error:
            assert faults.hide_new and "there already, but the store did not list it" in str(error)
            time.sleep(faults.hide_new)
            return build(archive, out)
        finally:
            server.faults = Faults()

    for archive in archives:
        here, there = build(archive, tmp_path / "out"), patiently(archive)
        assert bucket_digests(out, there.version) == digests(here.path)
    assert not patiently(archives[1]).created


@pytest.mark.slow
def test_half_and_cut_objects_in_the_cache(archives: tuple[Path, Path], out: Objects, tmp_path: Path) -> None:
    for where in (tmp_path / "out", out):
        build(archives[0], where)
    for name, size in list(out.names(".newsdata/cache")):
        data = out.read(name, size)
        assert data is not None
        out.put(name, data[: size // 2])
        out.put(f".newsdata/cache/part-{Path(name).name}", data[: size // 2])
    here, there = (build(archives[1], where) for where in (tmp_path / "out", out))
    assert bucket_digests(out, there.version) == digests(here.path)
    assert not [name for name, _ in out.names(".newsdata/cache") if "/part-" in name]


@pytest.mark.slow
def test_a_store_that_ignores_conditions_is_refused(
    archives: tuple[Path, Path], server: ObjectStoreServer, out: Objects
) -> None:
    server.faults = Faults(ignore_conditions=True)
    with pytest.raises(MachineError, match="ignores If-None-Match"):
        build(archives[0], out)
    assert list(out.names()) == []


@pytest.mark.slow
def test_a_version_that_the_store_lists_late_is_not_overwritten(
    archives: tuple[Path, Path], server: ObjectStoreServer, out: Objects
) -> None:
    build(archives[0], out)
    before = bucket_digests(out, "1.0.0")
    server.faults = Faults(hide_new=600)
    with pytest.raises(MachineError, match="there already, but the store did not list it"):
        build(archives[1], out)
    server.faults = Faults()
    assert bucket_digests(out, "1.0.0") == before and names(out) == LEFT


# ------------------------------------------------------------------------------------------ stopped, killed, doubled


def start(source: Path, out: Objects, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "newsdata", "build", str(source), out.url, "--quiet", "--num-proc", "1"]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def stopped_at(server: ObjectStoreServer, method: str, part: str, *arguments: Any) -> tuple[int, str]:
    """Start a build and send it a signal at its first request of this kind. Returns its exit code and what it complained."""
    number, *rest = arguments
    running: list[subprocess.Popen[str]] = []

    def meanwhile(asked: str, path: str) -> None:
        if asked == method and part in path and running:
            running.pop().send_signal(number)

    process = start(*rest)
    running.append(process)
    server.faults = Faults(meanwhile=meanwhile)
    _, complaint = process.communicate(timeout=300)
    server.faults = Faults()
    assert not running, "there was such a request"
    return process.returncode, complaint


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "part"),
    [
        ("PUT", "/finews/.newsdata/lease.json"),
        ("PUT", "/cache/parse"),
        ("PUT", "/staged.json"),
        ("PUT", "/finews/1.1.0/articles"),
        ("PUT", "/finews/1.1.0/manifest.json"),
        ("PUT", "/finews/README.md"),
        ("PUT", "last-build.json"),
    ],
)
def test_killed(
    archives: tuple[Path, Path],
    server: ObjectStoreServer,
    out: Objects,
    tmp_path: Path,
    scratch: Path,
    method: str,
    part: str,
) -> None:
    here = build(archives[0], tmp_path / "out")
    build(archives[0], out)
    assert stopped_at(server, method, part, signal.SIGKILL, archives[1], out)[0] == -signal.SIGKILL
    assert bucket_digests(out, "1.0.0") == digests(here.path)
    here = build(archives[1], tmp_path / "out")
    if out.size("1.1.0/manifest.json") is not None:  # only then, readers see the version
        assert bucket_digests(out, "1.1.0") == digests(here.path)
    build(archives[1], out)
    assert bucket_digests(out, "1.1.0") == digests(here.path) and names(out) == LEFT
    assert len([*scratch.iterdir()]) == 0


@pytest.mark.slow
def test_interrupted(archives: tuple[Path, Path], server: ObjectStoreServer, out: Objects, tmp_path: Path) -> None:
    code, complaint = stopped_at(server, "PUT", "/finews/1.0.0/articles", signal.SIGINT, archives[0], out)
    assert code == 130 and "Traceback" not in complaint
    assert {name.partition("/")[0] for name, _ in out.names()} == {".newsdata"}
    assert names(out) == LEFT[:1]


@pytest.mark.slow
def test_a_killed_build_is_cleaned_up_by_the_next_one_and_nothing_else(
    archives: tuple[Path, Path], out: Objects
) -> None:
    mark_staged(out, "1.0.0", ["articles/old.parquet", "ledger.arrow"])
    for name in ("1.0.0/articles/old.parquet", "1.0.0/ledger.arrow", "3.0.0/notes.txt", ".newsdata/uncached/x"):
        out.put(name, b"half")
    build(archives[0], out)
    left = [name for name, _ in out.names()]
    assert "1.0.0/articles/old.parquet" not in left and "3.0.0/notes.txt" in left
    assert names(out) == LEFT


@pytest.mark.slow
@pytest.mark.parametrize("note", [b"?", b'{"version": "../..", "files": ["README.md"]}', b'{"version": "1.0.0"}'])
def test_a_hostile_note_about_what_is_staged(archives: tuple[Path, Path], out: Objects, note: bytes) -> None:
    out.put(".newsdata/staged.json", note)
    out.put("1.0.0/articles/x", b"1")
    build(archives[0], out)
    assert names(out) == LEFT and out.size("1.0.0/articles/x") == 1


@pytest.mark.slow
def test_a_version_without_manifest_is_an_error_as_in_a_folder(archives: tuple[Path, Path], out: Objects) -> None:
    build(archives[0], out)
    out.delete(["1.0.0/manifest.json"])
    with pytest.raises(ManifestError, match="this version has no manifest") as error:
        build(archives[1], out)
    assert str(error.value).startswith(f"{out.url}/1.0.0: ") and error.value.path == f"{out.url}/1.0.0"


@pytest.mark.slow
def test_two_builds_at_once(archives: tuple[Path, Path], server: ObjectStoreServer, out: Objects) -> None:
    refused = []

    def meanwhile(method: str, path: str) -> None:
        if method == "PUT" and path.endswith("/1.0.0/README.md"):
            refused.append(run_newsdata("build", archives[0], out.url, "--quiet"))

    server.faults = Faults(meanwhile=meanwhile)
    assert build(archives[0], out).created
    assert len(refused) == 1 and refused[0].returncode == 2 and refused[0].stdout == ""
    assert f"{out.url}: another build is at work here (process {os.getpid()} on " in refused[0].stderr


@pytest.mark.slow
def test_a_build_that_lost_its_lease_publishes_nothing(
    archives: tuple[Path, Path], server: ObjectStoreServer, out: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsdata.graph import lease

    first = build(archives[0], out)
    before = bucket_digests(out, first.version)

    def meanwhile(method: str, path: str) -> None:
        if method == "PUT" and path.endswith("/1.1.0/README.md"):  # as if the machine had slept
            monkeypatch.setattr(lease, "_clock", lambda: 1e12)

    server.faults = Faults(meanwhile=meanwhile)
    with pytest.raises(MachineError, match="the lease of this folder was lost"):
        build(archives[1], out)
    monkeypatch.undo()
    assert out.size("1.1.0/manifest.json") is None and bucket_digests(out, "1.0.0") == before


# ------------------------------------------------------------------------------------------------------ and around


@pytest.mark.slow
def test_what_was_redacted_and_yanked_in_the_bucket_counts(archives: tuple[Path, Path], out: Objects) -> None:
    made = build(archives[0], out)
    out.put("1.0.0/yanked.json", json.dumps({"reason": "half of it"}).encode())
    gone = "20220301" + "0" * 9 + "1"
    out.put("redactions.json", json.dumps({gone: "a request"}).encode())
    again = build(archives[0], out, version="2.0.0")
    assert again.created and made.manifest.source["digest"] != "" and again.manifest.follows == "1.0.0"
    readme = (out.read("README.md", 1 << 20) or b"").decode()
    assert "- 1.0.0: yanked (half of it)" in readme and "- 2.0.0\n" in readme


@pytest.mark.slow
def test_a_readme_of_somebody_else_stays(archives: tuple[Path, Path], out: Objects) -> None:
    for content in (b"my notes", b"x" * (2 << 20)):
        out.put("README.md", content)
        made = build(archives[0], out)
        assert out.read("README.md", 3 << 20) == content
        assert any(f"{out.url}/README.md is not newsdata's and stays" in note for note in made.notes)


@pytest.mark.slow
def test_a_damaged_base(archives: tuple[Path, Path], out: Objects) -> None:
    made = build(archives[0], out)
    shard = made.manifest.shards[0].path
    out.put(f"1.0.0/{shard}", b"short")
    with pytest.raises(ManifestError, match="is missing or damaged") as error:
        build(archives[0], out)
    assert error.value.path == f"{out.url}/1.0.0/{shard}"
    out.delete(["1.0.0/ledger.arrow"])
    with pytest.raises(ManifestError) as error:
        build(archives[1], out)
    assert error.value.path == f"{out.url}/1.0.0/ledger.arrow"


@pytest.mark.slow
def test_scratch_of_killed_builds_is_removed(archives: tuple[Path, Path], out: Objects, scratch: Path) -> None:
    left = scratch / "newsdata-scratch-killed"
    (left / "cache").mkdir(parents=True)
    (left / "lock").touch()
    elsewhere = scratch / "newsdata-scratch-of-a-worker"
    (elsewhere / "cache").mkdir(parents=True)
    build(archives[0], out)
    assert not left.exists() and elsewhere.exists()
    for path in (elsewhere / "cache", elsewhere):
        os.utime(path, (1e9, 1e9))
    build(archives[0], out)
    assert not elsewhere.exists()
    (scratch / "newsdata-scratch-link").symlink_to(scratch.parent)
    build(archives[0], out)
    (scratch / "newsdata-scratch-link").unlink()
    assert shutil.disk_usage(scratch).total


@pytest.mark.slow
def test_on_the_command_line(archives: tuple[Path, Path], out: Objects, scratch: Path) -> None:
    found = run_newsdata("build", archives[0], out.url, "--json", "--quiet", "--num-proc", "2")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["path"] == f"{out.url}/1.0.0"
    found = run_newsdata("regenerate", archives[0], out.url)
    assert found.returncode == 0 and "regenerate: 1.0.0 unchanged: 50 posts" in found.stdout, found.stderr
    assert ", 0 faults, " in found.stdout and ".newsdata/regenerate.json" in names(out)
    found = run_newsdata("regenerate", archives[0], out.url, "--publish", scratch.parent / "public")
    assert found.returncode == 2 and "this version holds the full text of the articles" in found.stderr
    found = run_newsdata("regenerate", archives[0], out.url, "--publish", scratch.parent / "public", "--full-text")
    assert found.returncode == 0 and ", published to " in found.stdout, found.stderr
    assert (scratch.parent / "public" / "1.0.0" / "manifest.json").is_file()
    found = run_newsdata("build", archives[0], "s3://no-such-bucket-of-ours/x", "--quiet")
    assert found.returncode == 2 and "there is no such bucket" in found.stderr
    scratch.joinpath("file").touch()
    found = run_newsdata("build", archives[0], out.url, NEWSDATA_SCRATCH=str(scratch / "file"))
    assert found.returncode == 2 and "no scratch folder can be made here" in found.stderr
    scratch.joinpath("file").unlink()
