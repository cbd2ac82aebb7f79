"""What was known at each step of a period."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.dataset.panel import _steps
from newsdata.errors import CallError

from .made_history import History, make_history


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return make_history(tmp_path_factory.mktemp("history") / "repository", 60, 3)


@pytest.fixture(scope="module")
def out(history: History, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    options: dict[str, Any] = {"num_proc": 1, "max_leak": 1.0, "max_reject_share": 1.0}
    newsdata.build(f"{history.folder}@main", folder, history=True, **options)
    return folder


@pytest.mark.slow
def test_each_step_is_what_load_dataset_gives(history: History, out: Path) -> None:
    begin, end = (datetime.fromtimestamp(history.times[at], UTC) for at in (0, -1))
    asked: dict[str, Any] = {
        "columns": ["article_id", "text", "sources", "revised_at"],
        "filters": [("num_chars", ">", 9)],
    }
    panel = list(newsdata.load_panel(out, begin - timedelta(hours=5), end, "5h", **asked))
    assert len(panel) > 15 and len(panel[0][1]) == 0
    sizes = set()
    for step, rows in panel:
        assert str(step.tz) == "Asia/Shanghai" and str(rows.info.version) == "1.0.0"
        expected = newsdata.load_dataset(out, as_of=step.to_pydatetime(), **asked)
        assert rows.to_list() == expected.to_list(), step
        assert rows.features == expected.features
        assert all(row["revised_at"] <= step for row in rows)
        sizes.add(len(rows))
    assert len(sizes) > 5


@pytest.mark.slow
def test_days_are_those_of_the_site(out: Path) -> None:
    steps = [step for step, _ in newsdata.load_panel(out, "2022-03-02", date(2022, 3, 4), columns=["title"])]
    assert [step.isoformat() for step in steps] == [f"2022-03-0{day}T00:00:00+08:00" for day in (2, 3, 4)]


def steps(begin: str, end: str, every: Any, zone: str) -> list[str]:
    return [step.isoformat() for step in _steps(begin, end, every, zone)]


def test_steps_tied_to_the_calendar_begin_at_the_first_such_day() -> None:
    weeks = steps("2022-03-02", "2022-03-14", "1W", "UTC")
    assert [step[:10] for step in weeks] == ["2022-03-06", "2022-03-13"], "Sundays"
    assert [step[:10] for step in steps("2022-03-02", "2022-05-02", "1MS", "UTC")] == ["2022-04-01", "2022-05-01"]
    assert steps("2022-03-07", "2022-03-12", "1W", "UTC") == []


def test_a_day_is_not_always_24_hours() -> None:
    assert steps("2022-03-12", "2022-03-14", "1D", "America/New_York") == [
        "2022-03-12T00:00:00-05:00",
        "2022-03-13T00:00:00-05:00",
        "2022-03-14T00:00:00-04:00",
    ]
    assert steps("2022-11-06T01:30-04:00", "2022-11-06T03:00-05:00", "30min", "America/New_York") == [
        "2022-11-06T01:30:00-04:00",
        "2022-11-06T01:00:00-05:00",
        "2022-11-06T01:30:00-05:00",
        "2022-11-06T02:00:00-05:00",
        "2022-11-06T02:30:00-05:00",
        "2022-11-06T03:00:00-05:00",
    ]
    # A midnight that did not exist.
    assert steps("2018-11-03", "2018-11-05", "1D", "America/Sao_Paulo")[1] == "2018-11-04T01:00:00-02:00"
    assert steps("2022-03-01", "2022-03-12", "W-FRI", "Asia/Shanghai") == [
        "2022-03-04T00:00:00+08:00",
        "2022-03-11T00:00:00+08:00",
    ]
    assert steps("2022-03-01", "2022-03-02", timedelta(hours=15), "UTC") == [
        "2022-03-01T00:00:00+00:00",
        "2022-03-01T15:00:00+00:00",
    ]


@pytest.mark.parametrize(
    ("begin", "end", "every", "said"),
    [
        ("2022-03-02", "2022-03-01", "1D", "end: .*before"),
        ("2022-03-02T10:00", "2022-03-03", "1D", "begin: must be a day, or an instant with its zone"),
        ("2022-03-01", "2022-03-02", "often", "every: must be a length of time"),
        ("2022-03-01", "2022-03-02", "-1D", "every: must be a length of time"),
        ("2022-03-01", "2022-03-02", "0h", "every: must be a length of time"),
        ("2022-03-01", "2022-03-02", "1ms", "every: gives more than 1,000,000 steps"),
        ("2022-03-01", "2022-03-02", None, "every: must be a length of time"),
    ],
)
def test_steps_that_cannot_be(out: Path, begin: str, end: str, every: Any, said: str) -> None:
    with pytest.raises(CallError, match=said):
        newsdata.load_panel(out, begin, end, every)


def test_what_else_is_refused_at_once(demo: Path, out: Path) -> None:
    with pytest.raises(CallError, match=r"needs the config revisions.*--history"):
        newsdata.load_panel(demo, "2022-03-01", "2022-03-02")
    with pytest.raises(CallError, match="fold: not known at a time"):
        newsdata.load_panel(out, "2022-03-01", "2022-03-02", columns=["fold"])
