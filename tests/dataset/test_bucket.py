"""Versions in an object store: loaded, shown and compared as those in a folder; only what is needed is fetched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import newsdata
from newsdata.cli.main import cli
from newsdata.dataset.bucket import find_in_bucket, versions_in_bucket
from newsdata.errors import ManifestError, VerifyError, VersionError
from newsdata.objects import Objects
from newsdata.storage.manifest import read_manifest, shards_of

from ..conftest import run_newsdata
from ..objects_server import Faults, ObjectStoreServer, upload


@pytest.fixture
def made(two_versions: Path) -> Path:
    return two_versions


@pytest.fixture
def out(server: ObjectStoreServer, made: Path, cache: Path) -> Objects:
    """Both versions in a new bucket; what was asked so far is forgotten."""
    objects = Objects(url=f"{server.bucket()}/finews")
    upload(made, objects)
    server.requests.clear()
    return objects


def asked(server: ObjectStoreServer) -> list[str]:
    """What was asked since the last time, without the bucket, sorted."""
    found = sorted("/".join(str(request).split("/")[2:]) for request in server.requests)
    server.requests.clear()
    return found


@pytest.mark.slow
def test_it_gives_what_the_folder_gives(out: Objects, made: Path) -> None:
    for place in (f"{out.url}/1.1.0", f"{out.url}/"):
        assert newsdata.load_pandas(place).equals(newsdata.load_pandas(made))
    one, many = newsdata.load_dataset(out.url, "posts"), newsdata.load_dataset(made, "posts")
    assert {name: rows.to_list() for name, rows in one.items()} == {name: rows.to_list() for name, rows in many.items()}
    stream = newsdata.load_dataset(Path(out.url), split="train", streaming=True, revision="1.0.0")
    assert list(stream) == newsdata.load_dataset(made, split="train", revision="1.0.0").to_list()
    assert newsdata.info(out.url) | {"path": ""} == newsdata.info(made) | {"path": ""}
    assert newsdata.info(out.url)["path"] == f"{out.url}/1.1.0"
    assert newsdata.show(out.url, n=3) == newsdata.show(made, n=3)
    assert newsdata.show(out.url, grep="库存") == newsdata.show(made, grep="库存")
    assert newsdata.where(out.url, "_posts/2022-03-05-bad.md") == newsdata.where(made, "_posts/2022-03-05-bad.md")
    assert newsdata.duplicates(out.url) == newsdata.duplicates(made) != ()
    assert newsdata.load_mentions(out.url).equals(newsdata.load_mentions(made))
    there = newsdata.diff(f"{out.url}/1.0.0", f"{out.url}/1.1.0")
    assert there == newsdata.diff(made / "1.0.0", made / "1.1.0") == newsdata.diff(made / "1.0.0", out.url)
    assert there.changes


@pytest.mark.slow
def test_the_same_from_googles_store(server: ObjectStoreServer, made: Path, cache: Path) -> None:
    objects = Objects(url=f"{server.bucket('gs')}/finews")
    upload(made, objects)
    assert newsdata.load_pandas(objects.url).equals(newsdata.load_pandas(made))


@pytest.mark.slow
def test_only_what_a_call_asks_for_is_fetched(out: Objects, made: Path, server: ObjectStoreServer) -> None:
    manifest = read_manifest(made / "1.1.0")
    (shard,) = shards_of(manifest, "articles", "test")
    newsdata.load_dataset(f"{out.url}/1.1.0", split="test")
    size = sum(request.answered for request in server.requests)
    assert size < shard.bytes + (made / "1.1.0" / "manifest.json").stat().st_size + 1000
    known = ["finews/1.1.0/manifest.json", "finews/1.1.0/yanked.json"]
    assert asked(server) == sorted([*known, f"finews/1.1.0/{shard.path}"])
    newsdata.load_dataset(f"{out.url}/1.1.0", split="test")
    assert asked(server) == known, "what was fetched is kept"
    newsdata.load_dataset(out.url, split="test")
    folders = [one for one in asked(server) if not one.startswith("finews/")]
    assert len(folders) == 1, "one listing, of the folders"
    newsdata.info(f"{out.url}/1.1.0")
    assert not [one for one in asked(server) if one.endswith(".parquet")]
    newsdata.load_dataset(f"{out.url}/1.0.0")
    newsdata.load_dataset(f"{out.url}/1.1.0")
    shards = [one.split("/", 2)[2] for one in asked(server) if one.endswith(".parquet")]
    hashes = [
        one.sha256 for version in ("1.0.0", "1.1.0") for one in shards_of(read_manifest(made / version), "articles")
    ]
    assert len(shards) == len({*hashes} - {shard.sha256}) < len(hashes), "a shard of two versions is fetched once"


@pytest.mark.slow
def test_a_version_counts_with_its_manifest(out: Objects, made: Path) -> None:
    for name in ("ledger.arrow", "README.md"):
        out.put(f"1.2.0/{name}", made / "1.1.0" / name)
    out.put("notes/manifest.json", b"{}")
    assert versions_in_bucket(out) == ["1.0.0", "1.1.0"]
    assert newsdata.info(out.url)["versions"] == ["1.0.0", "1.1.0"]
    assert newsdata.load_pandas(out.url, split="test").equals(newsdata.load_pandas(made, split="test"))
    for place, revision, said in (
        (out.url, "1.2.0", r"there is no version 1.2.0; there are: 1.0.0, 1.1.0"),
        (f"{out.url}/1.2.0", None, r"there is no such version; there are: 1.0.0, 1.1.0"),
        (f"{out.url}/1.1.0", "1.0.0", r"this folder holds 1.1.0, not 1.0.0"),
        (f"{out.url}/none", None, r"there is no dataset here; check the address"),
        (out.url, "newest", r"must have the form X.Y.Z"),
    ):
        with pytest.raises(VersionError, match=said):
            newsdata.load_dataset(place, revision=revision)


@pytest.mark.slow
def test_a_late_list(server: ObjectStoreServer, made: Path, cache: Path) -> None:
    out = Objects(url=f"{server.bucket()}/finews")
    upload(made / "1.0.0", out.inside("1.0.0"))
    server.faults = Faults(listing=lambda _: "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    for place, revision in ((f"{out.url}/1.0.0", None), (out.url, "1.0.0"), (out.url, "v1.0.0")):
        assert newsdata.info(place, revision=revision)["version"] == "1.0.0"
    with pytest.raises(VersionError, match="there is no dataset here"):
        newsdata.info(out.url)


@pytest.mark.slow
def test_yanked_versions_are_skipped(out: Objects, made: Path) -> None:
    out.put("1.1.0/yanked.json", json.dumps({"version": "1.1.0", "reason": "half of it"}).encode())
    assert newsdata.info(out.url)["version"] == "1.0.0"
    assert newsdata.info(out.url, revision="1.1.0")["yanked"] == "half of it"
    assert newsdata.info(out.url)["yanked_versions"] == {"1.1.0": "half of it"}
    with pytest.warns(UserWarning, match="1.1.0 was yanked: half of it"):
        newsdata.load_dataset(out.url, split="test", revision="1.1.0")
    out.put("1.0.0/yanked.json", b"x" * 100_000)
    with pytest.raises(
        VersionError, match=r"every version was yanked \(1.0.0: yanked.json cannot be read; 1.1.0: half"
    ):
        newsdata.load_dataset(out.url)


@pytest.mark.slow
def test_one_failure_in_twenty_does_not_matter(out: Objects, made: Path, server: ObjectStoreServer) -> None:
    server.faults = Faults(fail_every=20)
    assert newsdata.load_pandas(out.url, "posts").equals(newsdata.load_pandas(made, "posts"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (b"other", "the store does not hold what the manifest names: articles/test-.*has 5 bytes, not"),
        (None, "articles/test-.*: is missing"),
        ("longer", r"articles/test-.*: has more than [0-9,]+ bytes"),
        ("same size", r"articles/test-.*: its bytes were changed \(SHA-256 differs\)"),
    ],
)
def test_a_damaged_file_is_told(out: Objects, made: Path, cache: Path, change: bytes | str | None, said: str) -> None:
    (shard,) = shards_of(read_manifest(made / "1.1.0"), "articles", "test")
    data = (made / "1.1.0" / shard.path).read_bytes()
    name = f"1.1.0/{shard.path}"
    if change is None:
        out.delete([name])
    else:
        out.put(name, change if isinstance(change, bytes) else data + b"x" if change == "longer" else data[:-1] + b"x")
    with pytest.raises(VerifyError, match=said):
        newsdata.load_dataset(out.url, split="test")
    assert not [path for path in cache.rglob("*") if path.name.endswith(".part")]
    assert newsdata.load_pandas(out.url, split="train").equals(newsdata.load_pandas(made, split="train"))


@pytest.mark.slow
@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_version_that_changes_in_the_middle(out: Objects, made: Path, server: ObjectStoreServer, what: str) -> None:
    behind = Objects(url=out.url)

    def change(method: str, path: str) -> None:
        if ".parquet" in path:
            server.faults = Faults()
            names = [f"1.1.0/{name}" for name, _ in behind.inside("1.1.0").names()]
            behind.delete(names)
            if what == "replaced":
                behind.put("1.1.0/manifest.json", made / "1.0.0" / "manifest.json")

    server.faults = Faults(meanwhile=change)
    with pytest.raises(VersionError, match=f"1.1.0: this version was {what} while it was read; run this again"):
        newsdata.load_dataset(f"{out.url}/1.1.0")


@pytest.mark.slow
def test_a_hostile_manifest(out: Objects, made: Path) -> None:
    text = json.loads((made / "1.1.0" / "manifest.json").read_text("utf-8"))
    text["shards"][0]["path"] = "../../../escaped.parquet"
    out.put("1.1.0/manifest.json", json.dumps(text).encode())
    with pytest.raises(ManifestError, match=f"{out.url}/1.1.0/manifest.json: the manifest lists a file outside"):
        newsdata.load_dataset(out.url)


@pytest.mark.slow
def test_a_damaged_cache_is_mended(out: Objects, made: Path, cache: Path) -> None:
    newsdata.load_dataset(out.url, split="test")
    for file in [*cache.glob("versions/*/articles/*"), *cache.glob("versions/*/manifest.json")]:
        file.unlink()
        file.write_bytes(b"broken")
    assert newsdata.load_pandas(out.url, split="test").equals(newsdata.load_pandas(made, split="test"))


@pytest.mark.slow
def test_the_commands(out: Objects, made: Path) -> None:
    def run(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(cli, [*map(str, arguments)])
        return done.exit_code, done.stdout

    for command in (["info", "--json"], ["show", "--json"], ["where", "_posts/2022-03-05-bad.md", "--json"]):
        (code, there), (_, here) = run(command[0], out.url, *command[1:]), run(command[0], made, *command[1:])
        assert code == 0 and json.loads(there) | {"path": ""} == json.loads(here) | {"path": ""}
    for command in (["show"], ["duplicates"], ["card"]):
        assert run(*command, out.url) == run(*command, made)
    assert run("diff", f"{out.url}/1.0.0", out.url) == run("diff", made / "1.0.0", made)
    assert f"({out.url}/1.1.0)" in run("info", out.url)[1]


@pytest.mark.slow
def test_the_page_over_a_version(out: Objects, made: Path) -> None:
    from newsdata.explorer.serve import open_library

    there, here = open_library(out.url), open_library(str(made / "1.1.0"))
    assert there.newest == here.newest == "1.1.0"
    assert there.view("1.1.0").opened.articles == here.view("1.1.0").opened.articles > 0


@pytest.mark.slow
def test_errors_of_the_commands(out: Objects) -> None:
    gone = run_newsdata("info", f"{out.url}/3.0.0")
    assert (gone.returncode, gone.stdout) == (2, "")
    assert gone.stderr == f"newsdata: {out.url}/3.0.0: there is no such version; there are: 1.0.0, 1.1.0\n"


def test_a_folder_with_the_name_of_another_version_is_refused(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "1.0.0", tmp_path / "7.0.0")
    for url, revision in (
        (tmp_path.as_uri(), "7.0.0"),
        (tmp_path.as_uri(), None),
        (f"{tmp_path.as_uri()}/7.0.0", None),
    ):
        with pytest.raises(ManifestError, match=r"7\.0\.0/manifest\.json: this is the manifest of 1\.0\.0"):
            find_in_bucket(url, revision, tmp_path / "cache")
