"""Rows for training: shuffled, shared out over ranks and workers, and resumed without loss."""

from __future__ import annotations

import json
import pickle
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.errors import CallError, MachineError, NewsdataError
from newsdata.storage.manifest import hash_file, read_manifest, write_manifest

from ..hub_client import Client
from ..hub_server import Hub
from ..versions import make_version
from .published import put

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

MONTHS = {"train": tuple(f"2021-{month:02}" for month in range(1, 6)), "test": ("2022-01",)}
FILTERED = [("title", "in", [f"第{one}则：2021-{month:02}的市场" for one in range(0, 40, 3) for month in range(1, 5)])]
FIRST_FOUR = ["202105000000000039", "202105000000000014", "202105000000000038", "202102000000000023"]


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5 shards with 40 rows each, 9 in a row group: 25 row groups, the last of each shard has 4."""
    return make_version(tmp_path_factory.mktemp("months"), months=MONTHS, row_group=9)


def opened(version: Path, **options: Any) -> newsdata.TorchDataset:
    return newsdata.torch_dataset(version, "train", **{"columns": ["article_id"], "seed": 1, "window": 30, **options})


def ids_of(rows: Iterable[dict[str, Any]]) -> list[str]:
    return [row["article_id"] for row in rows]


def loaded(version: Path, **options: Any) -> list[str]:
    """What `load_dataset` gives, in its order."""
    return ids_of(newsdata.load_dataset(version, split="train", columns=["article_id"], **options))


# ------------------------------------------------------------------------------------------------------- order


def test_an_epoch_has_every_row_once_and_each_epoch_its_own_order(version: Path) -> None:
    every = loaded(version)
    train = opened(version)
    orders = []
    for epoch in range(3):
        train.set_epoch(epoch)
        orders.append(ids_of(train))
        assert sorted(orders[-1]) == sorted(every) and len(train) == len(every) == 200
        assert orders[-1] == ids_of(opened(version, epoch=epoch))
    seeded = ids_of(opened(version, seed=2))
    assert len({tuple(order) for order in [every, *orders, seeded]}) == 5


def test_the_order_is_the_same_on_every_machine(version: Path) -> None:
    assert ids_of(opened(version))[:4] == FIRST_FOUR


def test_rows_of_a_row_group_are_within_a_window_and_windows_are_mixed(version: Path) -> None:
    group_of = {name: (place // 40, place % 40 // 9) for place, name in enumerate(loaded(version))}
    groups = [group_of[name] for name in ids_of(opened(version))]
    first = {group: groups.index(group) for group in groups}
    last = {group: at for at, group in enumerate(groups)}
    assert max(last[group] - first[group] for group in groups) < 30
    assert (
        sum(one == after for one, after in pairwise(groups)) < 90
    )  # of 199; about a third, with 3 row groups in a window


@pytest.mark.parametrize("options", [{}, {"filters": FILTERED}], ids=["whole", "filtered"])
def test_ranks_take_turns_in_one_order(version: Path, options: dict[str, Any]) -> None:
    order = ids_of(opened(version, **options))
    for world_size in (2, 7):
        ranks = [opened(version, rank=rank, world_size=world_size, **options) for rank in range(world_size)]
        assert [ids_of(one) for one in ranks] == [order[rank::world_size] for rank in range(world_size)]
        assert [len(one) for one in ranks] == [len(order[rank::world_size]) for rank in range(world_size)]


def test_rows_are_those_of_load_dataset(demo: Path) -> None:
    rows = {row["article_id"]: row for row in newsdata.load_dataset(demo, split="train")}
    train = newsdata.torch_dataset(demo, "train")
    assert {row["article_id"]: row for row in train} == rows
    assert list(train.features) == list(next(iter(train))) == list(next(iter(rows.values())))


@pytest.mark.parametrize(
    "options",
    [
        {"filters": FILTERED},
        {"filters": pc.field("article_id") < "202103"},
        {"filters": [("title", "==", "nothing")]},
        {"revision": "1.0.0"},
    ],
)
def test_rows_are_chosen_as_load_dataset_does(version: Path, options: dict[str, Any]) -> None:
    assert sorted(ids_of(opened(version.parent, **options))) == sorted(loaded(version, **options))


def test_more_ways_to_choose_rows(with_copies: Path) -> None:
    for options in (
        {"deduplicate": True},
        {"since": "2022-03-04", "until": "2022-03-09"},
        {"since": "2022-03-04", "deduplicate": True, "filters": [("num_chars", ">", 20)]},
    ):
        asked: dict[str, Any] = {"columns": ["article_id"], **options}
        expected = newsdata.load_dataset(with_copies, split="train[2:]+newer", **asked)
        found = newsdata.torch_dataset(with_copies, "train[2:]+newer", **asked)
        assert sorted(ids_of(found)) == sorted(expected["article_id"]) and len(found) == len(expected)


@pytest.mark.slow
def test_a_version_on_the_hub(hub: Hub, client: Client, demo: Path) -> None:
    put(hub, "lab/torch", demo / "1.0.0")
    asked: dict[str, Any] = {"columns": ["article_id", "title"], "seed": 3}
    assert client("dataset.torch_dataset.torch_dataset", "lab/torch@1.0.0", "train", **asked) == list(
        newsdata.torch_dataset(demo, "train", **asked)
    )
    downloaded = {one.path.rpartition("/")[2] for one in hub.log if one.path.endswith(".parquet")}
    assert downloaded and all(name.startswith("train-") for name in downloaded)


# ------------------------------------------------------------------------------------------------------ resume


def as_a_loader(train: newsdata.TorchDataset, workers: int, batch_size: int, consumed: int) -> list[str]:
    """The rows that a loop gets from a DataLoader: batch b is made by worker b % workers, which has a copy of its own."""
    copies = [pickle.loads(pickle.dumps(train)) for _ in range(max(workers, 1))]
    rows: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for number, begin in enumerate(range(0, len(train), batch_size)):
            batch = list(range(begin, min(begin + batch_size, len(train))))
            info = SimpleNamespace(id=number % workers, num_workers=workers) if workers else None
            patch.setattr(torch.utils.data, "get_worker_info", lambda info=info: info)
            rows += ids_of(copies[number % len(copies)].__getitems__(batch))
    return rows[:consumed]


def with_a_loader(train: newsdata.TorchDataset, workers: int, batch_size: int, consumed: int) -> list[str]:
    """The same by a real one, which reads ahead and is left in the middle."""
    rows: list[str] = []
    loader = torch.utils.data.DataLoader(train, batch_size=batch_size, num_workers=workers, collate_fn=ids_of)
    for batch in loader:
        rows += batch
        if len(rows) >= consumed:
            break
    return rows[:consumed]


def check_resume(version: Path, chance: random.Random, loop: Any, options: dict[str, Any]) -> None:
    """Stop twice at any row, go on with other numbers of ranks and workers and another batch size, to the end."""
    seed, epoch = chance.randrange(5), chance.randrange(3)
    expected = ids_of(opened(version, seed=seed, epoch=epoch, **options))
    seen: list[str] = []
    state = None
    for is_last in (False, False, True):
        world_size, workers, batch_size = chance.randint(1, 4), chance.randint(0, 3), chance.randint(1, 17)
        ranks = [opened(version, seed=seed, rank=r, world_size=world_size, **options) for r in range(world_size)]
        for one in ranks:
            one.set_epoch(epoch) if state is None else one.load_state_dict(state)
        consumed = len(ranks[0]) if is_last else chance.randint(0, len(ranks[0]))
        parts = [loop(one, workers, batch_size, consumed) for one in ranks]
        assert [len(part) for part in parts] == [min(consumed, len(one)) for one in ranks]
        now = [name for step in range(consumed) for part in parts for name in part[step : step + 1]]
        assert expected[len(seen) : len(seen) + len(now)] == now
        seen += now
        states = [pickle.dumps(one.state_dict(min(consumed, len(one)))) for one in ranks]
        assert consumed > len(ranks[-1]) or len(set(states)) == 1
        state = pickle.loads(states[0])
    assert seen == expected and state is not None and state["position"] == len(expected)


@pytest.mark.parametrize("options", [{}, {"filters": FILTERED}], ids=["whole", "filtered"])
@pytest.mark.parametrize("number", range(4))
def test_the_rest_is_exact(version: Path, options: dict[str, Any], number: int) -> None:
    check_resume(version, random.Random(f"fast {number}"), as_a_loader, options)


@pytest.mark.slow
def test_the_rest_is_exact_with_real_workers(version: Path) -> None:
    train = opened(version)
    order = ids_of(train)
    assert with_a_loader(train, 2, 8, 90) == order[:90]
    state = train.state_dict(consumed=90)
    resumed = opened(version)
    resumed.load_state_dict(state)
    assert with_a_loader(resumed, 1, 5, 200) == order[90:]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # more workers than cores
@pytest.mark.parametrize("number", range(60))
def test_the_rest_is_exact_in_any_combination(version: Path, number: int) -> None:
    check_resume(version, random.Random(f"slow {number}"), with_a_loader, {"filters": FILTERED} if number % 2 else {})


def test_workers_that_live_on_follow(version: Path) -> None:
    """What `set_epoch` and `load_state_dict` change reaches workers that were started before."""
    train = opened(version)
    orders = [ids_of(opened(version, epoch=epoch)) for epoch in (0, 1)]
    loader = torch.utils.data.DataLoader(
        train, batch_size=16, num_workers=2, collate_fn=ids_of, persistent_workers=True
    )
    for epoch in (0, 1):
        train.set_epoch(epoch)
        assert [name for batch in loader for name in batch] == orders[epoch]
    state = opened(version).state_dict(consumed=100)
    train.load_state_dict(state)
    assert [name for batch in loader for name in batch] == orders[0][100:]


def test_a_state_is_plain_and_holds_with_another_version_of_the_same_rows(version: Path, tmp_path: Path) -> None:
    state = json.loads(json.dumps(opened(version).state_dict(consumed=7)))
    again = opened(make_version(tmp_path, "1.1.0", months={**MONTHS, "newer": ("2022-02",)}, row_group=9))
    again.load_state_dict(state)
    assert ids_of(again) == ids_of(opened(version))[7:]


# ------------------------------------------------------------------------------------------------------ memory


def test_memory_is_that_of_a_window(tmp_path: Path) -> None:
    """A split four times as large takes no more."""
    peaks = []
    for months in (4, 16):
        listed = tuple(f"{2020 + month // 12}-{month % 12 + 1:02}" for month in range(months))
        made = make_version(
            tmp_path / str(months), months={"train": listed, "test": ("2023-01",)}, rows=1500, row_group=250
        )
        train = newsdata.torch_dataset(made, "train", columns=["article_id", "title"], window=1000)
        before, most = pa.total_allocated_bytes(), 0
        for _ in train:
            most = max(most, pa.total_allocated_bytes() - before)
        peaks.append(most)
    assert peaks[0] > 25_000 and peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < 4 * 1000 * 60  # 60 bytes a row of these two columns


# ------------------------------------------------------------------------------------------------------ faults


def test_a_loader_that_shuffles_or_samples_is_refused(version: Path) -> None:
    train = opened(version)
    samplers: Sequence[dict[str, Any]] = (
        {"shuffle": True},
        {"sampler": torch.utils.data.DistributedSampler(train, num_replicas=2, rank=0, shuffle=False)},
    )
    for options in samplers:
        with pytest.raises(CallError, match="must follow each other; give the DataLoader no shuffle="):
            list(torch.utils.data.DataLoader(train, batch_size=8, collate_fn=ids_of, **options))


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [1, 8])
def test_batches_that_do_not_follow_each_other_are_refused(version: Path, batch_size: int) -> None:
    """Also of one row, and as Accelerate and Lightning share out whole batches; in the main process and in workers."""
    train = opened(version)
    batches = [list(range(begin, begin + batch_size)) for begin in range(0, 200, batch_size)]
    backwards: list[dict[str, Any]] = [{"batch_sampler": batches[::-1]}]
    shared: list[dict[str, Any]] = [{"batch_sampler": batches[rank::2]} for rank in (0, 1)]
    for workers, given in ((0, [*backwards, *shared]), (2, shared)):
        for options in given:
            loader = torch.utils.data.DataLoader(opened(version), num_workers=workers, collate_fn=ids_of, **options)
            with pytest.raises(CallError, match="is next; give the DataLoader no shuffle="):
                list(loader)
    if batch_size == 1:
        with pytest.raises(CallError, match="is next"):
            list(torch.utils.data.DataLoader(train, batch_size=1, shuffle=True, collate_fn=ids_of))
    loader = torch.utils.data.DataLoader(opened(version), batch_size=batch_size, collate_fn=ids_of)
    begun = next(iter(loader))  # a look at the first batch, in the middle of a loop too
    for number, batch in enumerate(loader):
        assert number or batch == begun
        assert number != 3 or next(iter(loader)) == begun


def test_fewer_batches_than_workers(version: Path) -> None:
    train = opened(version)
    assert with_a_loader(train, 2, 150, 200) == ids_of(train)


def test_a_state_of_something_else_is_refused(version: Path) -> None:
    train = opened(version)
    state = train.state_dict(consumed=3)
    for other, name in (
        ({"seed": 2}, "seed"),
        ({"window": 31}, "window"),
        ({"filters": FILTERED}, "selection of rows"),
    ):
        with pytest.raises(CallError, match=f"the state is of another {name}"):
            opened(version, **other).load_state_dict(state)
    bad: list[Any] = [None, {}, {**state, "more": 1}, {**state, "position": -1}, {**state, "position": 201}]
    bad += [{**state, "epoch": "0"}, {**state, "position": True}, {**state, "order_version": 0}]
    for one in bad:
        with pytest.raises(CallError, match=r"^(state|position|epoch): "):
            train.load_state_dict(one)
    assert train.state_dict(consumed=3) == state


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["nothing"]}, "columns: there is no column nothing"),
        ({"rank": 2, "world_size": 2}, "rank: must be a whole number from 0 to 1, got 2"),
        ({"world_size": 0}, "world_size: must be a whole number from 1"),
        ({"window": 0}, "window: must be"),
        ({"seed": 1.5}, "seed: must be"),
        ({"epoch": -1}, "epoch: must be"),
        ({"batch_size": 8}, "batch_size: newsdata does not take this argument; give it to the DataLoader"),
        ({"batch_size": 8}, "DataLoader$"),
        ({"shuffle": True}, "shuffle: newsdata does not take this argument; leave it out: rows are always shuffled"),
        ({"filters": [("nothing", "==", 1)]}, "nothing"),
        ({"revision": "7.0.0"}, "this folder holds 1.0.0"),
    ],
)
def test_wrong_calls(version: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(NewsdataError, match=message):
        opened(version, **options)


def test_arguments_by_position(version: Path) -> None:
    with pytest.raises(CallError, match="only path and split may stand without a name, got 8, too"):
        newsdata.torch_dataset(version, "train", 8)


def test_a_switch_is_true_or_false(version: Path) -> None:
    with pytest.raises(CallError, match="deduplicate: must be True or False, got 'no'"):
        newsdata.torch_dataset(version, "train", deduplicate="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("split", [None, ["train"], ("train", "test")])
def test_a_split_is_one_text(version: Path, split: Any) -> None:
    with pytest.raises(CallError, match=r'split: must be the name of a split, .* several as "train\+test"$'):
        newsdata.torch_dataset(version, split)


def test_numbers_of_numpy_are_numbers(version: Path) -> None:
    train = opened(version, seed=np.int64(1), rank=np.int32(0), world_size=np.int64(2), epoch=np.uint8(1))
    state = train.state_dict(consumed=np.int64(3))  # type: ignore[arg-type]
    assert state == opened(version, world_size=2, epoch=1).state_dict(consumed=3) and json.dumps(state)
    for value in (True, np.True_, "1", np.float64(1)):
        with pytest.raises(CallError, match="seed: must be a whole number"):
            opened(version, seed=value)


def test_wrong_numbers_of_rows(version: Path) -> None:
    train = opened(version)
    for consumed in (-1, 201, 1.0, True):
        with pytest.raises(CallError, match=r"^consumed: must be a whole number from 0 to 200"):
            train.state_dict(consumed)  # type: ignore[arg-type]
    for index in (-1, 200):
        with pytest.raises(IndexError):
            train[index]
    assert train.__getitems__([]) == []


def test_without_pytorch_the_error_names_the_extra(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MachineError, match=r"pip install 'newsdata\[torch\]'"):
        opened(version)


def test_a_text_that_is_not_utf_8(tmp_path: Path) -> None:
    folder = make_version(tmp_path, months={"train": ("2021-11",)}, rows=3)
    file = folder / "articles/train-2021-11-0000000.parquet"
    table = pq.read_table(file)
    bad = pa.array([b"a", b"\xff", b"c"]).view(pa.string())
    pq.write_table(table.set_column(1, "title", bad), file)
    manifest = read_manifest(folder)
    size, digest = hash_file(file)
    write_manifest(replace(manifest, shards=(replace(manifest.shards[0], bytes=size, sha256=digest),)), folder)
    with pytest.raises(newsdata.NewsdataError, match="a text is not UTF-8"):
        list(newsdata.torch_dataset(folder, "train", columns=["title"]))
