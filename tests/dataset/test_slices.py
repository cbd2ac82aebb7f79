"""Which rows a `split` argument asks for: as `datasets` reads it, over shards of any size."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from datasets import ReadInstruction
from hypothesis import example, given
from hypothesis import strategies as st

from newsdata.dataset.slices import Slice, slices_of, split_text
from newsdata.errors import CallError
from newsdata.storage.manifest import Manifest, Shard, read_manifest

from ..versions import make_version


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return read_manifest(make_version(tmp_path_factory.mktemp("out")))


def with_shards(manifest: Manifest, sizes: list[int]) -> Manifest:
    """A manifest with shards of these many rows in train."""
    shards = tuple(replace(manifest.shards[0], path=f"articles/train-{i}.parquet", rows=n) for i, n in enumerate(sizes))
    return replace(manifest, shards=shards)


def rows_of(part: Slice, shards: tuple[Shard, ...]) -> list[int]:
    """The numbers of the rows in the split that a slice names."""
    if not part.shards:
        return []
    first = sum(shard.rows for shard in shards[: shards.index(part.shards[0])])
    return list(range(first + part.begin, first + part.end))


rows = st.just("") | st.integers(-40, 40).map(str)
percentages = st.just("") | st.integers(-100, 100).map(lambda percent: f"{percent}%")


@given(
    sizes=st.lists(st.integers(1, 60), max_size=5), bounds=st.tuples(rows, rows) | st.tuples(percentages, percentages)
)
def test_slices_are_those_of_datasets(manifest: Manifest, sizes: list[int], bounds: tuple[str, str]) -> None:
    begin, end = bounds
    ours = with_shards(manifest, sizes)
    (part,) = slices_of(ours, "articles", f"train[{begin}:{end}]")
    (theirs,) = ReadInstruction.from_spec(f"train[{begin}:{end}]").to_absolute({"train": sum(sizes)})
    every = list(range(sum(sizes)))
    assert rows_of(part, ours.shards) == every[theirs.from_ : max(theirs.from_, theirs.to)]
    assert part.is_whole == (len(rows_of(part, part.shards)) == sum(shard.rows for shard in part.shards))
    assert all(shard.rows for shard in part.shards)


@given(rows=st.integers(100, 400), begin=st.integers(-100, 100), end=st.integers(-100, 100), rounding=st.booleans())
@example(rows=150, begin=7, end=100, rounding=False)
def test_read_instructions_are_those_of_datasets(
    manifest: Manifest, rows: int, begin: int, end: int, rounding: bool
) -> None:
    how = "pct1_dropremainder" if rounding else "closest"
    asked = ReadInstruction("train", from_=begin, to=end, unit="%", rounding=how)
    (part,) = slices_of(with_shards(manifest, [rows]), "articles", split_text(asked))
    (theirs,) = asked.to_absolute({"train": rows})
    assert part.end - part.begin == max(theirs.to - theirs.from_, 0)
    assert part.begin == theirs.from_ or part.begin == part.end


@pytest.mark.slow
@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5), data=st.data())
def test_only_shards_with_wanted_rows_are_named(manifest: Manifest, sizes: list[int], data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, sum(sizes) - 1))
    end = data.draw(st.integers(begin + 1, sum(sizes)))
    ours = with_shards(manifest, sizes)
    (part,) = slices_of(ours, "articles", f"train[{begin}:{end}]")
    assert part.begin < part.shards[0].rows
    assert part.end > sum(shard.rows for shard in part.shards[:-1])
    assert all(ours.shards.index(b) == ours.shards.index(a) + 1 for a, b in pairwise(part.shards))


def test_several_splits_and_all_of_them(manifest: Manifest) -> None:
    assert [(p.split, len(p.shards), p.begin, p.end) for p in slices_of(manifest, "articles", "train[:50] + test")] == [
        ("train", 2, 0, 50),
        ("test", 1, 0, 40),
    ]
    every = slices_of(manifest, "articles")
    assert slices_of(manifest, "articles", "all") == every
    assert [(p.split, len(p.shards)) for p in every] == [("train", 2), ("validation", 0), ("test", 1), ("newer", 0)]
    assert all(part.is_whole for part in every)


@pytest.mark.parametrize("split", ["dev", "posts", "", "train+", "train[:1", "train[1]", "train[:1][:1]", "train-test"])
def test_what_is_no_split(manifest: Manifest, split: str) -> None:
    with pytest.raises(CallError, match=r"there is no split .*there are: train, validation, test, newer"):
        slices_of(manifest, "articles", split)


@pytest.mark.parametrize("bound", ["x", "1.5", "101%", "-101%", "%", "5%%"])
def test_what_is_no_bound(manifest: Manifest, bound: str) -> None:
    for split in (f"train[{bound}:]", f"train[:{bound}]"):
        with pytest.raises(CallError, match=f"a number of rows or a percentage, got '{bound}'"):
            slices_of(manifest, "articles", split)


def test_whole_percents_of_few_rows(manifest: Manifest) -> None:
    with pytest.raises(CallError, match="pct1_dropremainder needs at least 100 rows, train has 80"):
        slices_of(manifest, "articles", "train[:10%](pct1_dropremainder)")


def test_a_split_is_text_or_a_named_split() -> None:
    import datasets

    assert split_text(datasets.Split.TEST) == "test"
    assert split_text(datasets.ReadInstruction("train") + datasets.ReadInstruction("test", to=3)) == "train+test[:3]"
    for wrong in (["train", "test"], 5, b"train"):
        with pytest.raises(CallError, match=r'is not the name of a split; write several as "train\+test"'):
            split_text(wrong)


def test_no_version_is_needed_but_its_manifest(tmp_path: Path) -> None:
    folder = make_version(tmp_path)
    manifest = read_manifest(folder)
    for shard in manifest.shards:
        (folder / shard.path).unlink()
    assert [part.end - part.begin for part in slices_of(manifest, "articles")] == [80, 0, 40, 0]
