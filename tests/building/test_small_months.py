"""Months of few posts share tasks; every byte is as if each were a task of its own, and little is done again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.building import shard_plan
from newsdata.parsing.post import parse_bytes

from ..conftest import post, write_archive
from .edited_archive import digests
from .executors import Noting


def month(name: str, count: int = 2) -> dict[str, bytes]:
    """Posts of a month, on days of their own."""
    days = [f"{name}-{day:02d}" for day in range(1, count + 1)]
    return {
        f"_posts/{day}-note.md": post(title=f"{day}札记", date=f"{day} 09:30:00 +0800", body=f"\n第{day}号仓库。\n")
        for day in days
    }


def archive(*decades: int) -> dict[str, bytes]:
    """The first four months of three years of each decade."""
    names = [f"{decade}{year}-{number:02d}" for decade in decades for year in (1, 4, 8) for number in range(1, 5)]
    return {path: data for name in names for path, data in month(name).items()}


@pytest.fixture(autouse=True)
def three_posts_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", 360)


def full(made: newsdata.Build, source: Path, base: Path | None, out: Path) -> dict[str, str]:
    """The bytes of the same version, built without a cache, and with a task for each shard."""

    def alone(shards: Sequence[Any]) -> list[list[Any]]:
        return [[shard] for shard in shards]

    with pytest.MonkeyPatch.context() as patch:
        for stage in ("parse", "write"):
            patch.setattr(f"newsdata.building.stages.{stage}.in_tasks", alone)
        built = newsdata.build(source, out, base=base, num_proc=1, cache=False, max_reject_share=1.0)
    shards = [shard for shard in built.manifest.shards if shard.config != "rejects"]
    assert sum(built.stages[stage]["tasks"] for stage in ("parse", "write")) >= len(shards)
    assert built.version == made.version
    return digests(built.path)


@pytest.mark.slow
def test_a_decade_is_a_task(tmp_path: Path) -> None:
    files = archive(198, 199, 200) | month("1991-03", 9)
    source, noting = write_archive(tmp_path / "in", files), Noting()
    made = newsdata.build(source, tmp_path / "out", executor=noting)
    assert len([shard for shard in made.manifest.shards if shard.config == "posts"]) == 36
    assert noting.kinds.count("parse") == 5, "the large month, and what is before and after it, have tasks of their own"
    assert noting.kinds.count("sign") == 5 and noting.kinds.count("write") < 16
    assert digests(made.path) == full(made, source, None, tmp_path / "full")
    assert newsdata.verify(made.path).faults == ()


@pytest.mark.slow
def test_what_changes_in_a_decade_is_done_again_for_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = write_archive(tmp_path / "in", archive(199, 200)), tmp_path / "out"
    first = newsdata.build(source, out, num_proc=1)
    read: list[str] = []

    def reading(path: str, *rest: Any) -> Any:
        read.append(path)
        return parse_bytes(path, *rest)

    monkeypatch.setattr("newsdata.building.stages.parse.parse_bytes", reading)
    changes = (
        month("1994-02", 3),  # one post more
        month("1999-12"),  # a month more
        month("1994-02", 4),  # no longer small: its decade is two tasks and its own
        {"_posts/1991-01-01-note.md": b"", "_posts/1991-01-02-note.md": b""},  # a month of rejects only
    )
    for number, change in enumerate(changes):
        old = {path for path in change if (source / path).is_file() and (source / path).read_bytes() == change[path]}
        write_archive(source, change)
        read.clear()
        noting = Noting()
        base = out / newsdata.info(out)["version"]
        made = newsdata.build(source, out, executor=noting, max_reject_share=1.0)
        assert made.created and noting.kinds.count("parse") == (1, 1, 3, 1)[number]
        assert (change.keys() - old) <= set(read), number
        assert number == 2 or len(read) == len(change.keys() - old), "the other posts of the decade are copied"
        assert all(path[7:10] == "199" for path in read)
        assert digests(made.path) == full(made, source, base, tmp_path / f"full-{number}")
    assert first.manifest.accounting["posts"] == 48 and made.manifest.accounting["posts"] == 48 + 2 + 2 - 2


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path) -> None:
    made = newsdata.build(write_archive(tmp_path / "in", archive(198, 199)), tmp_path / "out", num_proc=2)
    stages = made.stages
    assert stages["parse"]["tasks"] == 2 and stages["write"]["tasks"] <= 8
    again = newsdata.build(tmp_path / "in", tmp_path / "one", num_proc=1)
    assert digests(made.path) == digests(again.path)
