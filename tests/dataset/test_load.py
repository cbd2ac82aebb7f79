"""Rows of a version, by our loader and without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.errors import CallError, MachineError, VersionError

from ..conftest import many_posts, write_archive


@pytest.mark.slow
def test_plain_datasets_reads_a_version(demo: Path) -> None:
    import datasets

    folder = str(demo / "1.0.0")
    accounting = newsdata.info(demo)["accounting"]
    every = datasets.load_dataset(folder)
    assert {s: d.num_rows for s, d in every.items()} == {s: n for s, n in accounting["articles_by_split"].items() if n}
    assert str(every["train"].features["published_at"].dtype) == "timestamp[ms, tz=Asia/Shanghai]"
    for config, key in (("posts", "posts"), ("rejects", "rejects")):
        assert datasets.load_dataset(folder, config, split=config).num_rows == accounting[key]
        streamed = datasets.load_dataset(folder, config, split=config, streaming=True)
        assert len(list(streamed)) == accounting[key]


def test_splits_columns_and_slices(demo: Path) -> None:
    rows = newsdata.load_dataset(demo)
    assert list(rows) == ["train", "validation", "test", "newer"]
    assert rows["newer"].num_rows == 0 and rows["newer"].features == rows["train"].features
    light = newsdata.load_dataset(demo, split="test", columns=["article_id", "title"])
    assert light.column_names == ["article_id", "title"]
    assert newsdata.load_dataset(demo / "1.0.0", "posts", split="posts", revision="v1.0.0").num_rows > 0
    assert newsdata.load_dataset(demo, split="train[:2]")["article_id"][:] == rows["train"]["article_id"][:2]


def test_arguments_of_other_types(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    test = newsdata.load_dataset(demo, split=datasets.Split.TEST, columns=(c for c in ["title"]), revision="*")
    assert test.column_names == ["title"] and test.num_rows and str(test.split) == "test"
    again = newsdata.load_dataset(demo, split=test.split)
    assert again.num_rows == test.num_rows
    monkeypatch.chdir(demo.parent)
    with pytest.raises(VersionError, match=r"there are: 1\.0\.0"):
        newsdata.load_dataset(f"{demo.name}/1.0.1")  # no repository of a hub


def test_what_cannot_be_loaded(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(VersionError, match=r"there are: 1\.0\.0"):
        newsdata.load_dataset(demo, revision="2.0.0")
    with pytest.raises(VersionError, match="no dataset here"):
        newsdata.load_dataset(tmp_path)
    with pytest.raises(CallError, match="articles, posts"):
        newsdata.load_dataset(demo, "mentions")
    with pytest.raises(CallError, match="train, validation"):
        newsdata.load_dataset(demo, split="dev")
    with pytest.raises(CallError, match="titel"):
        newsdata.load_dataset(demo, split="test", columns=["titel"])
    wrong: tuple[list[str] | str, ...] = ([], "title")
    for columns in wrong:
        with pytest.raises(CallError, match="must be a list of columns"):
            newsdata.load_dataset(demo, split="test", columns=columns)
    no_splits: tuple[Any, ...] = (b"train", 5, [], [["train"]])
    for split in no_splits:
        with pytest.raises(CallError, match="split"):
            newsdata.load_dataset(demo, split=split)
    with pytest.raises(CallError, match=r"train\+test"):
        newsdata.load_pandas(demo, split=["train", "test"])
    with pytest.raises(CallError, match="write split='train'"):
        newsdata.load_dataset(demo, "train")
    with pytest.raises(CallError, match="a frame holds no list"):
        newsdata.load_pandas(demo, split=["train"])
    with pytest.raises(CallError, match="download_mode: got 'anew'; there are: reuse_dataset"):
        newsdata.load_dataset(demo, download_mode="anew")


def test_a_list_of_splits_gives_a_list(demo: Path) -> None:
    import datasets

    every = newsdata.load_dataset(demo)
    names: list[Any] = ["test", datasets.Split.VALIDATION, datasets.ReadInstruction("train", to=2), "train+test[:1]"]
    found = newsdata.load_dataset(demo, split=names)
    assert [rows["article_id"][:] for rows in found] == [
        every["test"]["article_id"][:],
        every["validation"]["article_id"][:],
        every["train"]["article_id"][:2],
        [*every["train"]["article_id"], *every["test"]["article_id"][:1]],
    ]
    streams = newsdata.load_dataset(demo, split=["test", "train[:2]"], streaming=True)
    assert [len(list(rows)) for rows in streams] == [every["test"].num_rows, 2]
    joined = [one for rows in every.values() for one in rows["article_id"]]
    assert newsdata.load_dataset(demo, split="all")["article_id"][:] == joined
    assert newsdata.load_pandas(demo, split="all").article_id.tolist() == joined


def test_how_rows_are_kept(demo: Path, tmp_path: Path) -> None:
    from datasets import DownloadMode

    cache, train = tmp_path / "cache", newsdata.load_dataset(demo, split="train")
    rows = newsdata.load_dataset(demo, split="train", cache_dir=cache, num_proc=2)
    assert rows["article_id"][:] == train["article_id"][:]
    assert rows.cache_files and all(Path(one["filename"]).is_relative_to(cache) for one in rows.cache_files)
    again = newsdata.load_dataset(demo, split="train", cache_dir=cache, download_mode=DownloadMode.FORCE_REDOWNLOAD)
    assert again["article_id"][:] == train["article_id"][:]
    held = newsdata.load_dataset(demo, split="train", keep_in_memory=True)
    assert not held.cache_files and held["article_id"][:] == train["article_id"][:]


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"num_proc": 2, "streaming": True}, "num_proc: a stream is not prepared"),
    ({"num_proc": 0}, "num_proc: must be at least 1, got 0"),
    ({"num_proc": "x"}, "num_proc: must be at least 1, got 'x'"),
    ({"streaming": "false"}, "streaming: must be True or False, got 'false'"),
    ({"deduplicate": "no"}, "deduplicate: must be True or False, got 'no'"),
    ({"keep_in_memory": 1}, "keep_in_memory: must be True or False, got 1"),
    ({"name": 5}, "name: there is no config 5"),
    ({"columns": 5}, "columns: must be a list of columns, got 5"),
    ({"columns": [5]}, "columns: there is no column 5"),
    ({"revision": 1.0}, "X.Y.Z"),
    ({"path": ""}, "path: must be a folder or a repository, got ''"),
    ({"path": None}, "path: must be a folder or a repository, got None"),
)


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_arguments_of_a_wrong_type(demo: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(CallError, match=said):
        newsdata.load_dataset(**{"path": demo, "split": "train", **options})


def test_a_revision_may_be_a_version_of_datasets(demo: Path) -> None:
    import datasets

    version: Any = datasets.Version("1.0.0")
    assert newsdata.load_dataset(demo, split="test", revision=version).num_rows > 0


@pytest.mark.slow
def test_rows_know_their_version(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(12)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1, version="1.4.0")
    ways: tuple[dict[str, Any], ...] = ({}, {"streaming": True}, {"deduplicate": True})
    for options in ways:
        every = newsdata.load_dataset(out, **options)
        assert {str(rows.info.version) for rows in every.values()} == {"1.4.0"}, options
        both = newsdata.load_dataset(out, split="train+test", **options)
        assert str(both.info.version) == "1.4.0", options


def test_offsets_of_mentions_are_those_of_the_text(demo: Path) -> None:
    spans = 0
    for split in newsdata.load_dataset(demo).values():
        for row in split:
            for mention in row["mentions"]:
                assert row["text"][mention["start"] : mention["end"]] == mention["text"]
                spans += 1
    assert spans > 3


def test_pandas_gives_the_same_rows(demo: Path) -> None:
    every = newsdata.load_dataset(demo)
    frame = newsdata.load_pandas(demo)
    assert list(frame.columns) == [*every["train"].column_names, "split"]
    assert list(zip(frame.split, frame.article_id, strict=True)) == [
        (split, article_id) for split, rows in every.items() for article_id in rows["article_id"]
    ]
    assert frame.published_at.tolist()[0] == every["train"][0]["published_at"]
    one = newsdata.load_pandas(demo, split="test", columns=["title"])
    assert list(one.columns) == ["title"] and one.title.tolist() == every["test"]["title"][:]


def test_pandas_of_a_config_without_rows(demo: Path) -> None:
    frame = newsdata.load_pandas(demo, "revisions")
    assert len(frame) == 0 and "revised_at" in frame.columns


def cached(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_slices_and_orders_of_columns_share_one_cache(demo: Path, tmp_path: Path) -> None:
    whole = newsdata.load_dataset(demo, split="train", cache_dir=tmp_path)
    once = cached(tmp_path)
    assert once > 0
    for at in range(10):
        part = newsdata.load_dataset(demo, split=f"train[{at * 10}%:{at * 10 + 10}%]", cache_dir=tmp_path)
        assert set(part["article_id"]) <= set(whole["article_id"])
        newsdata.load_dataset(demo, split=f"train[{at}:]", columns=["text", "title"], cache_dir=tmp_path)
    newsdata.load_dataset(demo, split="train", cache_dir=tmp_path, deduplicate=True)
    newsdata.load_dataset(demo, split="train", cache_dir=tmp_path, filters=[("num_chars", ">", 100)])
    assert cached(tmp_path) == once
    sizes = []
    for columns in (["text", "title"], ["title", "text"]):
        rows = newsdata.load_dataset(demo, split="test", columns=columns, cache_dir=tmp_path)
        assert rows.column_names == columns
        sizes.append(cached(tmp_path))
    assert once < sizes[0] == sizes[1]


@pytest.mark.slow
def test_a_new_version_prepares_only_what_is_new(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(40))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    newsdata.load_dataset(tmp_path / "out", cache_dir=tmp_path / "cache")
    before = {path.name for path in (tmp_path / "cache" / "newsdata").iterdir()}
    write_archive(tmp_path / "in", many_posts(1, start_day=41))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    newsdata.load_dataset(tmp_path / "out", cache_dir=tmp_path / "cache")
    after = {path.name for path in (tmp_path / "cache" / "newsdata").iterdir()}
    assert before < after and len(after - before) == 1


def test_a_frame_needs_no_cache(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    (tmp_path / "file").write_text("nothing can be written below a file")
    ways: tuple[dict[str, Any], ...] = (
        {},
        {"split": "train[2:7]+test"},
        {"split": "train", "deduplicate": True},
        {"split": "train", "filters": [("num_chars", ">", 100)], "columns": ["num_chars", "published_at"]},
        {"split": "newer"},
    )
    for options in ways:
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "file" / "cache")
        frame = newsdata.load_pandas(demo, **options)
        in_memory: Any = newsdata.load_dataset(demo, keep_in_memory=True, **options)
        with pytest.raises(MachineError, match="rows cannot be kept here: Not a directory"):
            newsdata.load_dataset(demo, split="train")
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
        rows: Any = newsdata.load_dataset(demo, **options)
        if "split" not in options:
            rows, in_memory = (datasets.concatenate_datasets([*found.values()]) for found in (rows, in_memory))
            frame = frame.drop(columns="split")
        wanted = rows.with_format("arrow")[:].to_pandas()
        assert frame.equals(wanted) and list(frame.dtypes) == list(wanted.dtypes)
        assert in_memory.to_list() == rows.to_list() and not in_memory.cache_files


def test_what_map_keeps_is_found_again(demo: Path, tmp_path: Path) -> None:
    for options in ({"split": "train[3:9]"}, {"split": "train", "deduplicate": True}):
        kept = []
        for _ in range(2):
            rows = newsdata.load_dataset(demo, cache_dir=tmp_path, **options)
            kept.append(rows.map(lambda row: {"length": len(row["title"])}).cache_files)
        assert kept[0] == kept[1] != []
