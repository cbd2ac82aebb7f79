"""The tasks that scripts/benchmark.py times, each in a process of its own: `benchmark_tasks.py TASK ARGUMENTS`."""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

__all__ = ["from_generator", "load", "read", "trafilatura", "train"]


def _post_files(archive: str) -> Iterator[Path]:
    for folder in ("_posts", "old_post"):
        yield from sorted((Path(archive) / folder).glob("*.md"))


def read(archive: str) -> int:
    """Read every post in one process and do nothing with it. Returns the number of bytes."""
    size = 0
    for folder in ("_posts", "old_post"):
        root = f"{archive}/{folder}/"
        for name in sorted(os.listdir(root)):  # noqa: PTH208 - as fast as possible, so no Path for each file
            file = os.open(root + name, os.O_RDONLY)
            while block := os.read(file, 1 << 20):
                size += len(block)
            os.close(file)
    return size


def from_generator(archive: str, out: str) -> int:
    """Give the naive script's posts to `Dataset.from_generator` and write one Parquet file. Returns the number of rows."""
    import datasets
    from naive_build import read_posts

    rows = datasets.Dataset.from_generator(read_posts, gen_kwargs={"archive": Path(archive)}, cache_dir=f"{out}/cache")
    rows.to_parquet(f"{out}/train.parquet")
    return len(rows)


def trafilatura(archive: str, out: str) -> int:
    """Read with datatrove and trafilatura, two workers, and write Parquet. Returns the number of documents."""
    from datatrove.data import Document
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.writers import ParquetWriter

    workers = 2

    def posts(data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        for path in list(_post_files(archive))[rank::world_size]:
            head, _, body = path.read_text(encoding="utf-8", errors="replace").partition("\n---\n")
            if body:
                yield Document(text=f"<html><body>{body}</body></html>", id=path.stem, metadata={"head": head})

    LocalPipelineExecutor(
        pipeline=[posts, Trafilatura(), ParquetWriter(f"{out}/data")],
        tasks=workers,
        workers=workers,
        logging_dir=f"{out}/logs",
    ).run()
    stats = json.loads((Path(out) / "logs" / "stats.json").read_text())
    return int(stats[-1].get("stats", {}).get("total", 0))


# ---------------------------------------------------------------------------------------------------- loading


def load(version: str, repeat: str, scratch: str) -> dict[str, dict[str, float]]:
    """Time typical access to the articles of a built version.

    Args:
        version: the folder of the version.
        repeat: the number of runs, at least 3.
        scratch: a folder for a copy of the articles in random order.

    Returns:
        For each kind of access the number of `rows` and the median `seconds`.
    """
    import datasets
    import pyarrow as pa
    import pyarrow.dataset as pads
    import pyarrow.parquet as pq

    import newsdata

    datasets.disable_progress_bars()
    found: dict[str, dict[str, float]] = {}
    shards = sorted(str(p) for p in (Path(version) / "articles").glob("*.parquet"))
    articles = pads.dataset(shards, format="parquet")
    times = articles.to_table(columns=["published_at"])["published_at"]
    first, last = pa.compute.min_max(times).as_py().values()
    middle = first + (last - first) / 2
    media = articles.to_table(columns=["media"])["media"].drop_null().value_counts()
    publisher = max(media.to_pylist(), key=lambda pair: (pair["counts"], pair["values"]))["values"]

    unsorted = Path(scratch) / "unsorted.parquet"
    everything = articles.to_table()
    order = list(range(everything.num_rows))
    random.Random(0).shuffle(order)  # noqa: S311 - any order but that of the dates
    pq.write_table(everything.take(order), unsorted, row_group_size=len(order), compression="zstd")
    del everything, order, times, media
    shuffled = pads.dataset(str(unsorted), format="parquet")

    def between(start: datetime, days: int) -> Any:
        when = pads.field("published_at")
        return (when >= pa.scalar(start)) & (when < pa.scalar(start + timedelta(days=days)))

    def take(name: str, step: Callable[[], int]) -> None:
        seconds, rows = [], 0
        for _ in range(max(3, int(repeat))):
            begin = time.perf_counter()
            rows = step()
            seconds.append(time.perf_counter() - begin)
        found[name] = {"seconds": statistics.median(seconds), "rows": rows}

    begin = time.perf_counter()
    train = newsdata.load_dataset(version, split="train")
    found["load_dataset, first time"] = {"seconds": time.perf_counter() - begin, "rows": len(train)}
    take("load_dataset, again", lambda: len(newsdata.load_dataset(version, split="train")))
    take("all titles", lambda: articles.to_table(columns=["title"]).num_rows)
    take("one month", lambda: articles.to_table(filter=between(middle, 30)).num_rows)
    take("one publisher", lambda: articles.to_table(filter=pads.field("media") == publisher).num_rows)
    chosen = [int(random.Random(number).random() * len(train)) for number in range(1000)]  # noqa: S311
    take("1,000 random rows, one by one", lambda: sum(1 for number in chosen if train[number]))
    take(
        "streaming, all columns",
        lambda: sum(1 for _ in newsdata.load_dataset(version, split="train", streaming=True)),
    )
    two = train.select_columns(["title", "text"])
    take(
        "training loop, title and text, batches of 32",
        lambda: sum(len(b["text"]) for b in two.iter(batch_size=32)),
    )
    take("all mentions as a table", lambda: len(newsdata.load_mentions(version)))
    take("one week by filter", lambda: articles.to_table(filter=between(middle, 7)).num_rows)
    take(
        "the same week, unsorted in one row group",
        lambda: shuffled.to_table(filter=between(middle, 7)).num_rows,
    )
    return found


# ---------------------------------------------------------------------------------------------------- training

TWO_COLUMNS = ("article_id,title", "title,text")


def train(version: str, repeat: str) -> dict[str, dict[str, float]]:
    """Time one epoch over the train split, row by row: `torch_dataset`, which shuffles, and streams of `datasets`.

    Args:
        version: the folder of the version.
        repeat: the number of epochs of each, in turns, at least 3; one more before is not counted.

    Returns:
        For each of them and each pair of columns the number of `rows`, the median `cpu` seconds of this process, and of
        `torch_dataset` the most bytes that Arrow held (`held`).
    """
    import gc

    import datasets
    import pyarrow as pa

    import newsdata

    datasets.disable_progress_bars()
    found: dict[str, dict[str, float]] = {}
    for names in TWO_COLUMNS:
        columns = names.split(",")
        stream = datasets.load_dataset(version, split="train", streaming=True, columns=columns)
        ours = newsdata.torch_dataset(version, "train", columns=columns, seed=1)
        programs = {
            "torch_dataset": ours,
            "datasets, streaming": stream,
            "datasets, streaming, shuffle(buffer_size=20_000)": stream.shuffle(seed=1, buffer_size=20_000),
        }
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        rows = {name: sum(1 for _ in program) for name, program in programs.items()}
        gc.collect()
        gc.freeze()
        for _ in range(max(3, int(repeat))):
            for name, program in programs.items():
                begin = time.process_time()
                for _ in program:
                    pass
                seconds[name].append(time.process_time() - begin)
        for name in programs:
            found[f"{names}: {name}"] = {"cpu": statistics.median(seconds[name]), "rows": rows[name]}
        found[f"{names}: torch_dataset"]["held"] = max(pa.total_allocated_bytes() for _ in ours)
    return found


if __name__ == "__main__":
    tasks: dict[str, Callable[..., Any]] = {
        "read": read,
        "from_generator": from_generator,
        "trafilatura": trafilatura,
        "load": load,
        "train": train,
    }
    print(json.dumps(tasks[sys.argv[1]](*sys.argv[2:])))
