"""Rows of a version in a private repository, loaded by a client that has no token of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import newsdata

from ..conftest import run_newsdata
from ..hub_client import Client, Failed
from ..hub_server import OWNER, Fault, Hub
from ..hub_state import small_blob
from .published import put

NEWS = "lab/news"


@pytest.fixture(scope="module")
def stranger(running: Hub, demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client without a token."""
    put(running, NEWS, demo / "1.0.0")
    with Client(running, tmp_path_factory.mktemp("no-token"), token=None) as client:
        yield client


def downloaded(hub: Hub) -> set[str]:
    """The shards that were asked for since the log was emptied."""
    return {line.path.rpartition("/")[2] for line in hub.requests(r"^GET /datasets/.*/resolve/.*\.parquet")}


def titles(demo: Path, **options: Any) -> list[str]:
    return newsdata.load_pandas(demo, split="train", **options).title.tolist()


@pytest.mark.slow
def test_a_token_alone_opens_a_private_repository(hub: Hub, stranger: Client, demo: Path) -> None:
    ways: tuple[tuple[str, dict[str, Any]], ...] = (
        ("dataset.load.load_pandas", {}),
        ("dataset.load.load_dataset", {}),
        ("dataset.load.load_dataset", {"streaming": True}),
        ("dataset.load.load_dataset", {"streaming": True, "split": "train[1:3]"}),
        ("dataset.load.load_dataset", {"streaming": True, "deduplicate": True}),
    )
    for function, options in ways:
        asked = {"split": "train", "columns": ["title"], **options}
        with pytest.raises(Failed, match="no such dataset repository, or this token may not see it"):
            stranger(function, NEWS, **asked)
        found = stranger(function, f"hf://datasets/{NEWS}@v1.0.0", token=OWNER, **asked)
        wanted = newsdata.load_dataset(demo, **{**asked, "streaming": False})
        assert found == list(wanted), (function, options)
    function, options = ways[-1]
    asked = {"split": "train", "columns": ["title"], **options, "storage_options": {"token": OWNER}}
    assert stranger(function, f"hf://datasets/{NEWS}@v1.0.0", **asked) == found


@pytest.mark.slow
def test_one_busy_answer_at_any_request_of_a_stream(hub: Hub, demo: Path, tmp_path: Path) -> None:
    put(hub, "lab/streamed", demo / "1.0.0")
    asked: dict[str, Any] = {"split": "train[:12]", "columns": ["title"], "streaming": True, "revision": "1.0.0"}
    number, wanted = 0, None
    while wanted is None or number < len(wanted):
        hub.log.clear()
        hub.faults[:] = [Fault("status", status=(429, 408)[number % 2], skip=number, headers={"Retry-After": "0"})]
        with Client(hub, tmp_path / str(number)) as client:
            found = client("dataset.load.load_dataset", "lab/streamed", **asked)
        assert [row["title"] for row in found] == titles(demo)[:12], number
        wanted = wanted or [line for line in hub.log if line.status < 400]
        number += 1


@pytest.mark.slow
def test_a_stream_waits_for_a_busy_hub(hub: Hub, demo: Path, tmp_path: Path) -> None:
    commit = put(hub, "lab/streamed", demo / "1.0.0").id
    hub.faults.append(Fault("status", f"^GET .*/resolve/{commit}/articles/", status=429, headers={"Retry-After": "0"}))
    with Client(hub, tmp_path) as client:
        found = client("dataset.load.load_dataset", "lab/streamed", split="test", columns=["title"], streaming=True)
    assert found == list(newsdata.load_dataset(demo, split="test", columns=["title"]))
    assert hub.faults[0].times == 0


@pytest.mark.slow
def test_only_shards_of_the_period_are_fetched(hub: Hub, stranger: Client, demo: Path, tmp_path: Path) -> None:
    month = {"since": "2022-03-01", "until": "2022-04-01"}
    asked: dict[str, Any] = {"token": OWNER, "cache_dir": tmp_path, "split": "train", **month}
    found = stranger("dataset.load.load_dataset", NEWS, **asked)
    assert [row["title"] for row in found] == titles(demo, **month) != []
    assert downloaded(hub) == {"train-2022-03-0000000.parquet"}
    hub.log.clear()
    found = stranger("dataset.load.load_dataset", NEWS, streaming=True, **asked)
    assert [row["title"] for row in found] == titles(demo, **month)
    assert downloaded(hub) == {"train-2022-03-0000000.parquet"}
    assert {path.name for path in tmp_path.rglob("*.parquet")} == {"train-2022-03-0000000.parquet"}


@pytest.mark.parametrize("form", ["{}", "{}@1.0.0", "{}@v1.0.0", "hf://datasets/{}", "hf://datasets/{}@1.0.0"])
def test_the_forms_of_a_name(client: Client, stranger: Client, form: str) -> None:
    facts = client("dataset.describe.info", form.format(NEWS))
    assert facts["version"] == "1.0.0" and len(facts["commit"]) == 40


@pytest.mark.slow
def test_functions_take_a_version_on_the_hub(
    hub: Hub, client: Client, stranger: Client, demo: Path, with_copies: Path
) -> None:
    """Each gives the same as for a folder, and fetches only what it needs."""
    put(hub, "lab/copies", with_copies / "1.0.0")
    here, there = newsdata.info(demo), client("dataset.describe.info", NEWS)
    assert (there["path"], there["versions"]) == (NEWS, ["1.0.0"])
    assert {**there, **dict.fromkeys(("path", "commit", "versions"))} == {
        **here,
        **dict.fromkeys(("path", "commit", "versions")),
    }
    assert downloaded(hub) == set()

    clusters = client("dataset.duplicates.duplicates", "lab/copies")
    assert [c["duplicate_cluster"] for c in clusters] == [c.duplicate_cluster for c in newsdata.duplicates(with_copies)]
    assert downloaded(hub) and all(name.startswith(("train", "test", "validation")) for name in downloaded(hub))

    hub.log.clear()
    reject = "examples/archive/_posts/2022-03-24-draft-notes.md"
    assert client("dataset.where.where", NEWS, reject)["why"] == newsdata.where(demo, reject).why
    assert all(name.startswith(("posts", "rejects", "train", "test", "valid", "excl")) for name in downloaded(hub))

    hub.log.clear()
    found = client("dataset.describe.diff", f"{NEWS}@1.0.0", demo)
    assert (found["bump"], downloaded(hub)) == (None, set())
    found = client("dataset.describe.diff", "hf://datasets/lab/copies@1.0.0", demo)
    assert found["reasons"] == list(newsdata.diff(with_copies, demo).reasons)


@pytest.mark.slow
def test_functions_take_a_token(stranger: Client, demo: Path) -> None:
    calls: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("dataset.describe.info", (NEWS,)),
        ("dataset.describe.diff", (NEWS, demo)),
        ("dataset.where.where", (NEWS, "_config.yml")),
        ("dataset.duplicates.duplicates", (NEWS,)),
        ("maintenance.verify.verify", (NEWS,)),
    )
    for function, arguments in calls:
        with pytest.raises(Failed, match="this token may not see it"):
            stranger(function, *arguments)
        assert stranger(function, *arguments, token=OWNER)


def test_info_lists_the_versions_of_the_repository(hub: Hub, client: Client, name: str) -> None:
    facts = client("dataset.describe.info", f"{name}@1.0.0")
    assert (facts["versions"], facts["yanked_versions"]) == (["1.0.0", "1.9.0"], {})
    marks = small_blob(b'{"1.9.0": "no text"}')
    hub.repos[name].add_commit("mark", hub.repos[name].head.files | {".yanked.json": marks})
    facts = client("dataset.describe.info", name)
    assert (facts["version"], facts["yanked_versions"]) == ("1.0.0", {"1.9.0": "no text"})


@pytest.mark.slow
def test_info_without_the_list_of_versions(hub: Hub, client: Client, name: str) -> None:
    hub.faults.append(Fault("status", "/refs", times=99, status=500))
    assert client("dataset.describe.info", f"{name}@1.0.0")["versions"] == []


@pytest.mark.slow
def test_verify_fetches_a_whole_version(hub: Hub, client: Client, stranger: Client, demo: Path, tmp_path: Path) -> None:
    found = client("maintenance.verify.verify", f"{NEWS}@1.0.0")
    here = newsdata.verify(demo / "1.0.0")
    assert (found["faults"], found["files"], found["rows"]) == ([], here.files, here.rows)
    hub.faults.append(Fault("corrupt", r"^GET .*posts/posts-2022-04-0000000.parquet", times=9))
    with Client(hub, tmp_path) as fresh, pytest.raises(Failed, match="do not match") as caught:
        fresh("maintenance.verify.verify", NEWS)
    assert (caught.value.kind, caught.value.faults) == ("VerifyError", ["posts/posts-2022-04-0000000.parquet"])


@pytest.mark.slow
def test_a_text_free_version_is_rehydrated(hub: Hub, demo: Path, tmp_path: Path) -> None:
    free = newsdata.build("examples/archive", tmp_path / "free", text="none", num_proc=1).path
    put(hub, "lab/free", free)
    with Client(hub, tmp_path / "home", token=None) as client:
        made = client(
            "maintenance.rehydrate.rehydrate", "lab/free@1.0.0", "examples/archive", str(tmp_path / "full"),
            num_proc=1, token=OWNER,
        )  # fmt: skip
    assert made["same_bytes"] is True
    names = sorted(path.relative_to(demo / "1.0.0") for path in (demo / "1.0.0").rglob("*.parquet"))
    for name in names:
        assert (tmp_path / "full" / "1.0.0" / name).read_bytes() == (demo / "1.0.0" / name).read_bytes()
    assert len(names) > 10


@pytest.mark.slow
@pytest.mark.parametrize("command", ["info", "show", "card", "verify", "duplicates", "diff", "where"])
def test_commands_take_a_version_on_the_hub(
    hub: Hub, stranger: Client, demo: Path, tmp_path: Path, command: str
) -> None:
    more = {"diff": [f"hf://datasets/{NEWS}"], "where": ["_config.yml"]}.get(command, [])
    variables: dict[str, Any] = hub.environment(tmp_path)
    done = run_newsdata(command, f"{NEWS}@1.0.0", *more, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    if command == "verify":
        assert done.stdout.splitlines()[-1].startswith(f"{NEWS}@1.0.0: good (")
