"""Any number of partitions gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.errors import CallError
from newsdata.graph.engine import Engine
from newsdata.graph.executors.local import InProcess
from newsdata.graph.store import Store

from ..conftest import many_posts, post, write_archive
from .edited_archive import digests
from .executors import Noting
from .test_grouping import REPRINT, story


def archive_in(place: Path) -> Path:
    files = many_posts(14, per_day=3) | story("2022-03-05", 77) | story("2022-03-13", 78, REPRINT, "多家公司产线投产")
    twins = {f"_posts/2022-03-0{day}-NW2022030{day}0000000001.md": post(category="chenbao") for day in range(1, 5)}
    return write_archive(place, files | twins)


def test_the_bytes_are_the_same_for_any_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsdata.building.stages.merge._SAMPLED", 1)
    archive = archive_in(tmp_path / "in")
    found = []
    for count in (1, 2, 7, None):
        noting = Noting()
        out = tmp_path / f"out-{count}"
        first = newsdata.build(archive, out, partitions=count, executor=noting)
        assert {noting.kinds.count(kind) for kind in ("range", "search", "common")} == {count or 1}
        write_archive(archive, {"_posts/2022-03-16-202203160000000001.md": post(title="新")})
        second = newsdata.build(archive, out, partitions=count and 8 - count, num_proc=1)
        (archive / "_posts/2022-03-16-202203160000000001.md").unlink()
        found.append([digests(first.path), digests(second.path)])
    assert found[0] == found[1] == found[2] == found[3]


def test_no_posts_in_many_partitions(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", {"_posts/2022-03-01-a.md": b""})
    one, many = (
        newsdata.build(archive, tmp_path / f"{n}", partitions=n, num_proc=1, max_reject_share=1) for n in (1, 3)
    )
    assert digests(one.path) == digests(many.path)


def test_the_number_is_chosen_by_the_rows(tmp_path: Path) -> None:
    engine = Engine(store=Store(folder=tmp_path), executor=InProcess())
    assert [engine.partitions_for(rows) for rows in (0, 1, 500_000, 500_001, 10**9)] == [1, 1, 1, 2, 2000]
    assert Engine(store=engine.store, executor=InProcess(), partitions=7).partitions_for(5) == 7
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(CallError, match="whole number"):
            newsdata.build(tmp_path, tmp_path / "out", partitions=wrong)  # type: ignore[arg-type]
