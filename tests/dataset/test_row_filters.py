"""What `since`, `until` and `filters` mean."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import newsdata
from newsdata.dataset.row_filters import Period, as_instant, period_of, row_filter, within
from newsdata.dataset.slices import Slice, slices_of
from newsdata.errors import CallError
from newsdata.schema import table_schema
from newsdata.storage.manifest import Manifest, Shard, read_manifest

from ..conftest import post, write_archive
from ..versions import make_version
from .copies import FIRST, LATER, REPRINT, STORY, TWIN, story

ZONE = "Asia/Shanghai"
MARCH = int(datetime(2022, 3, 1, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


@pytest.mark.parametrize(
    "value",
    [
        "2022-03-01",
        " 2022-03-01 ",
        date(2022, 3, 1),
        "2022-02-28T16:00Z",
        "2022-03-01T00:00:00+08:00",
        datetime(2022, 2, 28, 16, tzinfo=UTC),
        datetime(2022, 2, 28, 10, tzinfo=timezone(timedelta(hours=-6))),
        pd.Timestamp("2022-03-01", tz=ZONE),
        datetime(2022, 2, 28, 15, 59, 59, 999_001, tzinfo=UTC),  # no row has a part of a millisecond
    ],
)
def test_days_and_instants(value: object) -> None:
    assert as_instant(value, ZONE, "since") == MARCH


@pytest.mark.parametrize(
    "value",
    [
        "2022-03-01T09:30",
        "2022-03",
        "March",
        "",
        datetime(2022, 3, 1),  # noqa: DTZ001
        pd.Timestamp("2022-03-01"),
        pd.NaT,
        20220301,
        1646064000.0,
        True,
    ],
)
def test_what_is_neither_a_day_nor_an_instant(value: object) -> None:
    with pytest.raises(CallError, match=r"since: must be a day, or an instant with its zone, got .*2022-03-01T09:30"):
        as_instant(value, ZONE, "since")


def test_a_day_that_begins_at_one_o_clock() -> None:
    """In São Paulo clocks went from midnight to one."""
    first = datetime(2018, 11, 4, 1, tzinfo=ZoneInfo("America/Sao_Paulo"))
    assert as_instant("2018-11-04", "America/Sao_Paulo", "since") == first.timestamp() * 1000


def test_the_ends_of_the_calendar() -> None:
    assert as_instant(date.min, ZONE, "since") < as_instant(date.max, ZONE, "since")
    assert as_instant(datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))), ZONE, "since") > 0


def test_a_period() -> None:
    assert period_of(None, None, ZONE, "rejects") is None
    assert period_of("2022-03-01", None, ZONE, "posts") == Period(begin=MARCH, end=None)
    with pytest.raises(
        CallError, match="until: rows of the config rejects have no date; these have one: articles, posts"
    ):
        period_of(None, "2022-03-01", ZONE, "rejects")
    for until in ("2022-03-01", "2022-02-28"):
        with pytest.raises(CallError, match=r"until: no time is both since 2022-03-01 and before .*is exclusive"):
            period_of("2022-03-01", until, ZONE, "articles")


# ------------------------------------------------------------------------------------------------------ shards


def shard(month: str, rows: int = 10, config: str = "articles", number: int = 0) -> Shard:
    path = f"{config}/train-{month}-{number:07d}.parquet"
    return Shard(path=path, config=config, split="train", rows=rows, bytes=0, sha256="", digest="", start="")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return read_manifest(make_version(tmp_path_factory.mktemp("out")))


def months(part: Slice) -> list[str]:
    return [one.path.split("train-")[1][:7] for one in part.shards]


@given(
    sizes=st.lists(st.integers(1, 5), min_size=4, max_size=4),
    cut=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    days=st.lists(st.dates(date(2021, 12, 25), date(2022, 4, 5)), min_size=2, max_size=2, unique=True),
)
def test_rows_of_shards_that_stay_are_those_of_the_slice(
    manifest: Manifest, sizes: list[int], cut: tuple[int, int], days: list[date]
) -> None:
    names = ["undated", "2022-01", "2022-02", "2022-03"]
    shards = tuple(shard(month, rows) for month, rows in zip(names, sizes, strict=True))
    begin, end = sorted(min(one, sum(sizes)) for one in cut)
    (part,) = slices_of(replace(manifest, shards=shards), "articles", f"train[{begin}:{end}]")
    found = within(part, period_of(min(days), max(days), ZONE, "articles"), ZONE)
    rows = [(month, row) for month, size in zip(names, sizes, strict=True) for row in range(size)]
    kept = [(one.path, row) for one in found.shards for row in range(one.rows)][found.begin : found.end]
    lasting = {f"{day:%Y-%m}" for day in pd.date_range(min(days), max(days) - timedelta(days=1))}
    assert kept == [
        (f"articles/train-{month}-0000000.parquet", row) for month, row in rows[begin:end] if month in lasting
    ]


def test_only_months_of_published_at_are_left_out() -> None:
    part = Slice(split="train", shards=(shard("2022-01"), shard("2022-13"), shard("12-2022")), begin=0, end=30)
    assert months(within(part, Period(begin=MARCH, end=None), ZONE)) == ["2022-13", "12-2022"]
    assert within(part, None, ZONE) is part
    posts = Slice(
        split="posts", shards=(shard("2022-01", config="posts"), shard("undated", config="posts")), begin=0, end=20
    )
    assert within(posts, Period(begin=MARCH, end=None), ZONE) is posts, "these are the months of file names"


# ----------------------------------------------------------------------------------------------------- filters


def holds(filters: object, **columns: list[Any]) -> list[bool]:
    """For which rows a filter holds."""
    expression = row_filter(filters, None, table_schema("articles", ZONE))
    table = pa.table({**columns, "row": range(len(next(iter(columns.values()))))})
    rows = table.filter(expression)["row"].to_pylist()
    return [row in rows for row in range(table.num_rows)]


def test_tuples_lists_and_expressions() -> None:
    codes = {"num_chars": pa.array([1, 2, 3, None], pa.int32()), "feed": ["site", "emnews", "market", None]}
    assert holds([("num_chars", ">", 1)], **codes) == [False, True, True, False]
    assert holds([("num_chars", ">", 1), ("feed", "!=", "market")], **codes) == [False, True, False, False]
    assert holds([[("num_chars", "=", 1)], [("feed", "in", {"market"})]], **codes) == [True, False, True, False]
    assert holds([("num_chars", "<=", 2.5)], **codes) == [True, True, False, False]
    assert holds([("num_chars", "not in", [1, 2])], **codes)[:3] == [False, False, True]
    assert holds(pc.field("feed").is_null(), **codes) == [False, False, False, True]
    assert row_filter(None, None, table_schema("articles", ZONE)) is None


def test_times_are_written_as_for_since() -> None:
    times = pa.array([MARCH - 1, MARCH, MARCH + 1], pa.timestamp("ms", ZONE))
    for value in ("2022-03-01", "2022-02-28T16:00Z", date(2022, 3, 1), pa.scalar(MARCH, pa.timestamp("ms", ZONE))):
        assert holds([("published_at", ">=", value)], published_at=times) == [False, True, True]
    assert holds([("published_at", "in", ["2022-03-01"])], published_at=times) == [False, True, False]
    with pytest.raises(CallError, match="filters: must be a day, or an instant with its zone"):
        row_filter([("published_at", ">=", datetime(2022, 3, 1))], None, table_schema("articles", ZONE))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ([("titel", "==", "x")], "there is no column 'titel'; there are: article_id, title"),
        ([("num_chars", "~", 1)], "there is no operator '~'; there are: ==, =, !="),
        ([("num_chars", "==", "x")], r"num_chars \(int32\) cannot be compared with 'x'"),
        ([("num_chars", ">", None)], r'no value of num_chars is equal to None.*field\("num_chars"\)\.is_null'),
        ([("feed", "in", "emnews")], "'in' needs a list of values, got 'emnews'"),
        ([("num_chars", "in", ["x"])], r"num_chars \(int32\) cannot be compared with 'x'"),
        ([("tags", "==", "x")], r"tags is a list in each row.*filter what is loaded: rows\.filter"),
        ([("tags", "in", ["x"])], "tags is a list in each row"),
        ([("mentions", "==", 5)], "mentions is a list in each row"),
        ([], r"must be a list of tuples \(column, operator, value\), got \[\]"),
        ([[]], "must be a list of tuples"),
        ([("num_chars", ">")], "must be a list of tuples"),
        (["num_chars > 5"], "must be a list of tuples"),
        ("num_chars > 5", "must be a list of tuples"),
        ({"num_chars": 5}, "must be a list of tuples"),
        (lambda row: True, "must be a list of tuples"),
        (pc.field("titel") == "x", "cannot be computed: No match for FieldRef.Name.titel.*columns: article_id"),
        (pc.field("num_chars") > "x", "cannot be computed: Function 'greater'"),
        (pc.field("num_chars"), "cannot be computed: "),
    ],
)  # fmt: skip
def test_filters_that_are_refused(filters: object, said: str) -> None:
    with pytest.raises(CallError, match=f"filters: .*{said}" if not said.startswith("filters") else said):
        row_filter(filters, None, table_schema("articles", ZONE))


# -------------------------------------------------------------------------------------------------- whole calls

WAYS: tuple[dict[str, Any], ...] = ({}, {"streaming": True}, {"deduplicate": True})


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version with articles of every tenth day of a year, near-copies in March, and one without a date."""
    folder = tmp_path_factory.mktemp("year")
    files = dict(
        [
            story(FIRST, "2022-03-05", STORY, "海报", "码头今晨"),
            story(REPRINT, "2022-03-06", STORY[:11], "江报", "转载：码头"),
            story(TWIN, "2022-03-06", [*STORY, "编辑按：此文较长，值得一读。"], "湖报", "码头长文"),
            story(LATER, "2022-03-09", STORY[1:], "河报", "旧闻：码头"),
        ]
    )
    for number in range(36):
        day = date(2022, 1, 1) + timedelta(days=number * 10)
        title = f"第{number * 7919}则 {'甲乙丙丁戊己庚辛壬癸'[number % 10] * (1 + number % 4)}"
        when = f"{day} 00:00:00 +0800" if number % 2 else f"{day} 23:59:59 +0800"
        body = f"\n{'，'.join(f'{number * 31 + i * 17}号仓库{number}' for i in range(20))}。\n"
        files[f"_posts/{day}-{day:%Y%m%d}{number:010d}.md"] = post(title=title, date=when, body=body)
    newsdata.build(write_archive(folder / "archive", files), folder / "out", num_proc=1)
    return folder / "out"


@pytest.mark.slow
def test_a_month_is_the_same_in_every_way_of_loading(year: Path) -> None:
    march: dict[str, Any] = {"since": "2022-03-01", "until": "2022-04-01"}
    every = newsdata.load_pandas(year, split="train")
    wanted = every[(every.published_at >= "2022-03-01") & (every.published_at < "2022-04-01")].article_id.tolist()
    assert len(wanted) == 7 and FIRST in wanted
    first, last = every.article_id.tolist().index(wanted[2]), every.article_id.tolist().index(wanted[4])
    sliced = f"train[{first}:{last + 1}]"
    for split, ids in (("train", wanted), (sliced, wanted[2:5]), ("train[:2]", []), ("train+test", wanted)):
        assert newsdata.load_dataset(year, split=split, **march)["article_id"][:] == ids
        assert newsdata.load_pandas(year, split=split, columns=["article_id"], **march).article_id.tolist() == ids
        stream = newsdata.load_dataset(year, split=split, streaming=True, columns=["article_id"], **march)
        assert [row["article_id"] for row in stream] == ids
    rows = newsdata.load_dataset(year, **march)
    assert {name: len(one) for name, one in rows.items()} == {"train": 7, "validation": 0, "test": 0, "newer": 0}
    assert all(one.features == rows["train"].features for one in rows.values())
    by_filters = [("published_at", ">=", "2022-03-01"), ("published_at", "<", "2022-04-01")]
    assert newsdata.load_dataset(year, split="train", filters=by_filters)["article_id"][:] == wanted
    both = newsdata.load_dataset(year, split="train", filters=[("article_id", "!=", FIRST)], **march)
    assert both["article_id"][:] == [one for one in wanted if one != FIRST]


@pytest.mark.slow
def test_rows_are_filtered_and_then_deduplicated(year: Path) -> None:
    copies = {FIRST, REPRINT, TWIN, LATER}
    ways: tuple[dict[str, Any], ...] = ({"since": "2022-03-06"}, {"filters": [("article_id", "!=", FIRST)]})
    for options in ways:
        rows = newsdata.load_dataset(year, split="train", deduplicate=True, **options)
        assert set(rows["article_id"]) & copies == {TWIN}
        stream = newsdata.load_dataset(year, split="train", deduplicate=True, streaming=True, **options)
        assert [row["article_id"] for row in stream] == rows["article_id"][:]
    none = newsdata.load_dataset(year, split="train", deduplicate=True, since="2030-01-01")
    assert len(none) == 0 and "title" in none.features


def test_a_filter_may_use_a_column_that_is_not_loaded(year: Path) -> None:
    every = newsdata.load_pandas(year, split="train")
    wanted = every[every.num_chars > 200].title.tolist()
    assert 0 < len(wanted) < len(every)
    for options in WAYS[:2]:
        rows = newsdata.load_dataset(
            year, split="train", columns=["title"], filters=[("num_chars", ">", 200)], **options
        )
        assert list(rows) == [{"title": title} for title in wanted]


@pytest.mark.slow
def test_a_filter_that_holds_for_no_row(year: Path) -> None:
    for options in WAYS:
        for split in ("train", "train[3:9]"):
            rows = newsdata.load_dataset(year, split=split, filters=[("title", "==", "no such title")], **options)
            assert list(rows) == [] and "title" in rows.features
    frame = newsdata.load_pandas(year, filters=[("title", "==", "no such title")])
    assert len(frame) == 0 and "published_at" in frame.columns


def test_shards_of_other_months_are_not_opened(year: Path, tmp_path: Path) -> None:
    shutil.copytree(year / "1.0.0", tmp_path / "1.0.0")
    for path in (tmp_path / "1.0.0" / "articles").iterdir():
        if "-2022-03-" not in path.name:
            path.unlink()
    for options in WAYS:
        rows = newsdata.load_dataset(tmp_path, split="train", since="2022-03-01", until="2022-04-01", **options)
        assert {row["published_at"].month for row in rows} == {3}


def test_posts_have_dates_too(year: Path) -> None:
    posts = newsdata.load_pandas(year, "posts", split="posts", since=date(2022, 3, 6), until="2022-03-07")
    assert sorted(posts.article_id) == [REPRINT, TWIN]
    assert len(newsdata.load_dataset(year, "rejects", split="rejects", filters=[("rule", "==", "empty")])) == 0
