"""verify, yank, prune and redact on versions in an object store: the same results as in a folder, byte for byte."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import newsdata
from newsdata.cli.main import cli
from newsdata.errors import CallError, MachineError, VersionError
from newsdata.graph.lease import LEASE_NAME, leased
from newsdata.objects import Objects

from ..conftest import many_posts, write_archive
from ..objects_server import Faults, ObjectStoreServer, download, upload

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def folder(two_versions: Path, tmp_path: Path) -> Path:
    """Two versions, and a few of the results of builds."""
    shutil.copytree(two_versions, tmp_path / "finews")
    cache = tmp_path / "finews/.newsdata/cache"
    for path in sorted(cache.glob("[!l]*"))[4:]:
        path.unlink()
    return tmp_path / "finews"


@pytest.fixture
def out(server: ObjectStoreServer, folder: Path) -> Objects:
    """The same versions, with the results of builds, in a new bucket."""
    objects = Objects(url=f"{server.bucket()}/finews")
    upload(folder, objects)
    return objects


def tree(place: Path | Objects, but: str = "-") -> dict[str, bytes]:
    """Every file but locks and the lease, and those whose names end with `but`."""
    if isinstance(place, Objects):
        found = download(place, but)
    else:
        found = {file.relative_to(place).as_posix(): file.read_bytes() for file in place.rglob("*") if file.is_file()}
    return {name: data for name, data in found.items() if name != LEASE_NAME and not name.endswith(("lock", but))}


def an_article(folder: Path) -> str:
    return str(newsdata.load_dataset(folder, split="train", revision="1.0.0")[0]["article_id"])


Change = Callable[[str], Any]


def changes(folder: Path) -> dict[str, Change]:
    article = an_article(folder)
    return {
        "yank": lambda out: newsdata.yank(f"{out}/1.1.0", reason="half of it"),
        "yank by revision": lambda out: newsdata.yank(out, revision="1.0.0", reason="bad"),
        "undo": lambda out: newsdata.yank(out, revision="1.0.0", undo=True),
        "redact": lambda out: newsdata.redact(out, article, reason="asked for"),
        "redact again": lambda out: newsdata.redact(out, article, reason="another"),
        "undo both": lambda out: newsdata.yank(out, revision="1.1.0", undo=True),
        "prune": lambda out: newsdata.prune(out, keep=1),
    }


@pytest.mark.slow
def test_the_results_are_those_of_a_folder(out: Objects, folder: Path, server: ObjectStoreServer) -> None:
    (folder / ".newsdata/cache/unused.data").write_bytes(b"123")
    out.put(".newsdata/cache/unused.data", b"123")
    server.faults = Faults(fail_every=20, lose_every=7)
    for name, change in changes(folder).items():
        there, here = change(out.url), change(str(folder))
        if name.startswith(("yank", "undo")):
            assert str(there.path) == str(here.path).replace(str(folder), out.url)
            there = replace(there, path=here.path)
        if name == "prune":
            assert there.removed == here.removed == ("1.0.0",) and there.cache_entries == here.cache_entries == 1
            there = replace(there, freed=here.freed)
        assert there == here, name
        assert tree(out, but=".parquet") == tree(folder, but=".parquet"), name
    assert tree(out) == tree(folder)
    assert newsdata.info(out.url)["version"] == "1.1.0"


@pytest.mark.slow
def test_a_folder_in_which_nothing_is_built_gets_no_readme(server: ObjectStoreServer, folder: Path) -> None:
    out = Objects(url=f"{server.bucket()}/finews")
    shutil.rmtree(folder / ".newsdata")
    (folder / "README.md").unlink()
    upload(folder, out)
    newsdata.yank(f"{out}/1.0.0", reason="bad")
    newsdata.yank(folder / "1.0.0", reason="bad")
    assert tree(out) == tree(folder) and "README.md" not in tree(out)


@pytest.mark.slow
def test_another_process_is_waited_for(out: Objects) -> None:
    before = tree(out)
    with leased(out, "build"):
        for change in (
            lambda: newsdata.yank(f"{out}/1.0.0", reason="bad"),
            lambda: newsdata.redact(out.url, "1", reason="asked for"),
            lambda: newsdata.prune(out.url, keep=1),
        ):
            with pytest.raises(MachineError, match="another build is at work here"):
                change()
    assert tree(out) == before


@pytest.mark.slow
def test_a_store_that_ignores_conditions_is_refused(out: Objects, server: ObjectStoreServer) -> None:
    before = tree(out)
    server.faults = Faults(ignore_conditions=True)
    with pytest.raises(MachineError, match="ignores If-None-Match"):
        newsdata.prune(out.url, keep=1)
    assert tree(out) == before


@pytest.mark.slow
def test_a_lease_that_is_lost(out: Objects, server: ObjectStoreServer) -> None:
    before = tree(out)

    def steal(method: str, path: str) -> None:
        if method == "GET" and path.endswith("1.1.0/manifest.json"):
            server.faults = Faults()
            data = json.loads(out.read(LEASE_NAME, 10_000) or b"")
            out.put(LEASE_NAME, json.dumps(data | {"owner": "somebody else"}).encode())

    server.faults = Faults(meanwhile=steal)
    with pytest.raises(MachineError, match="the lease of this folder was lost"):
        newsdata.prune(out.url, keep=1)
    assert tree(out) == before


@pytest.mark.slow
def test_an_interrupted_removal_is_finished(out: Objects, folder: Path, server: ObjectStoreServer) -> None:
    out.put("1.0.1/theirs.txt", b"somebody writes a version by other means")

    def kill(method: str, path: str) -> None:
        if method == "POST" and "1.0.0/manifest.json" not in path and out.size("1.0.0/manifest.json") is None:
            raise ConnectionError

    server.faults = Faults(meanwhile=kill)
    with pytest.raises(MachineError, match="cannot be reached"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("newsdata.objects_bucket._TRIES", 1)
        newsdata.prune(out.url, keep=1)
    server.faults = Faults()
    assert newsdata.info(out.url)["versions"] == ["1.1.0"] and out.size("1.0.0/README.md")
    done = newsdata.prune(out.url, keep=1)
    assert (done.removed, done.kept) == ((), ("1.1.0",))
    newsdata.prune(folder, keep=1)
    there = tree(out)
    assert there.pop("1.0.1/theirs.txt") and there == tree(folder)


@pytest.mark.slow
def test_calls_that_make_no_sense(out: Objects, server: ObjectStoreServer) -> None:
    before = tree(out)
    for call, said in (
        (lambda: newsdata.yank(out.url, reason="x"), f"{out}: this folder holds versions; say which one is meant"),
        (lambda: newsdata.yank(out.url, reason="x", revision="1.*"), "say which one is meant"),
        (lambda: newsdata.yank(f"{out}/1.0.0", reason=" "), "the reason is empty"),
        (lambda: newsdata.redact(out.url, "none", reason="x"), f"{out}: no version has an article none"),
        (lambda: newsdata.prune(out.url, keep=0), "must be at least 1"),
    ):
        with pytest.raises(CallError, match=said):
            call()
    for ask in (
        lambda: newsdata.yank(out.url, reason="x", revision="3.0.0"),
        lambda: newsdata.prune(f"{out}/none", keep=1),
        lambda: newsdata.verify(f"{out}/3.0.0"),
    ):
        with pytest.raises(VersionError, match=f"{out}/?(none|3.0.0)?: "):
            ask()
    assert tree(out) == before


@pytest.mark.slow
def test_a_redacted_article_leaves_versions_that_are_built_in_a_bucket(
    server: ObjectStoreServer, tmp_path: Path
) -> None:
    archive = write_archive(tmp_path / "archive", many_posts(12))
    places = [f"{server.bucket()}/finews", str(tmp_path / "out")]
    for out in places:
        newsdata.build(archive, out, num_proc=1)
        article = newsdata.load_dataset(out, split="train")[0]["article_id"]
        newsdata.redact(out, article, reason="asked for")
        assert newsdata.build(archive, out, num_proc=1).version == "2.0.0"
        assert article not in newsdata.load_dataset(out, split="train")["article_id"]
        newsdata.prune(out, keep=1)
        assert newsdata.verify(out).faults == ()
    there, here = Objects(url=places[0]), Path(places[1])
    kept = [name for name in tree(there) if not name.startswith(".newsdata/")]
    assert {name: tree(there)[name] for name in kept} == {
        name: data for name, data in tree(here).items() if not name.startswith(".newsdata/")
    }
    cached = {name for name in tree(here) if name.startswith(".newsdata/cache/")}
    assert {name for name in tree(there) if name.startswith(".newsdata/")} == cached


# ---------------------------------------------------------------------------------------------------------- verify


@pytest.mark.slow
def test_good_versions(out: Objects, folder: Path, two_versions: Path) -> None:
    there, here = newsdata.verify(out.url), newsdata.verify(folder)
    assert there.path == out.url and there.faults == ()
    assert replace(there, path=folder, notes=()) == replace(here, notes=())
    for place in (f"{out}/1.0.0", f"{out}/1.1.0"):
        assert newsdata.verify(place) == replace(newsdata.verify(folder / place[-5:]), path=place)
    assert newsdata.verify(out.url, revision="1.0.*").path == f"{out}/1.0.0"
    found = newsdata.verify(out.url, recompute=5, source=two_versions.parent / "archive")
    assert (found.faults, found.recomputed) == ((), 5)


@pytest.mark.slow
def test_faults_are_those_of_a_folder(out: Objects, folder: Path, cache: Path) -> None:
    shards = sorted(path.relative_to(folder).as_posix() for path in folder.glob("1.1.0/*/*.parquet"))
    changed, longer, missing = shards[0], shards[1], shards[-1]
    data = (folder / changed).read_bytes()
    for name, content in {
        changed: data[:-1] + bytes([data[-1] ^ 1]),
        longer: (folder / longer).read_bytes() + b"x" * 100,
        "1.1.0/articles/extra.parquet": b"x",
        "1.1.0/notes.txt": b"x",
        "1.0.0/yanked.json": b"?",
        "1.0.0/ledger.arrow": b"cut",
        "redactions.json": b"[]",
    }.items():
        out.put(name, content)
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content)
    out.delete([missing])
    (folder / missing).unlink()
    there, here = newsdata.verify(out.url), newsdata.verify(folder)
    assert len(here.faults) == 6
    kept = [note for note in here.notes if "not links" not in note]
    assert replace(there, path=folder) == replace(here, notes=tuple(kept))
    out.put("1.1.0/manifest.json", b"{")
    assert any("1.1.0/manifest.json: the manifest cannot be read" in fault for fault in newsdata.verify(out.url).faults)
    assert [*(cache / "copies").iterdir()] == []


@pytest.mark.slow
def test_versions_that_are_being_written(out: Objects, folder: Path) -> None:
    out.put("1.2.0/ledger.arrow", b"x")
    found = newsdata.verify(out.url)
    assert found.faults == () and found.version == "1.1.0"
    assert found.notes[-1] == "1.2.0: has no manifest.json; it is being written, or that was interrupted"


@pytest.mark.slow
def test_a_version_that_is_removed_meanwhile(out: Objects, server: ObjectStoreServer) -> None:
    def remove(method: str, path: str) -> None:
        if ".parquet" in path and "/1.1.0/" in path:
            server.faults = Faults()
            out.delete([f"1.1.0/{name}" for name, _ in out.inside("1.1.0").names()])

    server.faults = Faults(meanwhile=remove)
    with pytest.raises(VersionError, match=f"{out}/1.1.0: this version was removed or replaced while it was read"):
        newsdata.verify(out.url)


@pytest.mark.slow
def test_the_commands(out: Objects, folder: Path) -> None:
    def run(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(cli, [*map(str, arguments)])
        return done.exit_code, done.stdout.replace(str(folder), str(out))

    article = an_article(folder)
    for command, *rest in (
        ["verify"],
        ["yank", "--revision", "1.0.0", "--reason", "bad"],
        ["redact", article, "--reason", "asked for"],
    ):
        there, here = run(command, out, *rest), run(command, folder, *rest)
        notes = "".join(line for line in here[1].splitlines(keepends=True) if not line.startswith(("note:", "      ")))
        assert there == (here[0], notes) and there[0] == 0
    assert run("prune", out, "--keep", "1")[1].startswith("Removed 1.0.0; kept 1.1.0\n")
    out.delete(["1.1.0/README.md"])
    code, said = run("verify", f"{out}/1.1.0")
    assert code == 1 and "README.md: is missing" in said and f"{out}/1.1.0: 1 fault" in said
