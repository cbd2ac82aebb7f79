"""Baselines: right scores, the same ones each time, and what a leak is worth."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import newsdata
from newsdata.card.baselines import read_baselines

from ..conftest import ROOT, post, write_archive

pytest.importorskip("sklearn", reason="needs scikit-learn (newsdata[baselines])")
sys.path.insert(0, str(ROOT / "scripts"))

import baseline_prices as prices
import baseline_tasks as tasks
import baselines

FIRST = date(2022, 3, 1)
PUBLISHERS = ("甲报", "乙报", "丙报", "丁报")


def words(rng: random.Random, size: int = 120) -> str:
    return "，".join("".join(chr(rng.randint(0x4E00, 0x9000)) for _ in range(11)) for _ in range(size // 12)) + "。"


def leaking_posts(stories: int, copies: int, days: int = 40) -> dict[str, bytes]:
    """Stories whose publisher nothing but a copy tells: it is drawn, and each copy has the same one.

    Each has a link to a board, which the title names.
    """
    rng, files = random.Random(5), {}
    for number in range(stories):
        text, publisher, day = words(rng), rng.choice(PUBLISHERS), rng.randrange(days)
        board = rng.choice(("BK0001", "BK0002"))
        link = f'<a href="http://quote.example.com/unify/r/90.{board}" class="keytip">板块{board[-1:]}</a>'
        for copy in range(copies):
            when = FIRST + timedelta(days=day + copy % 2)
            name = f"{when:%Y%m%d}{number:06d}{copy:04d}"
            body = f"<p>{text}{link}</p>\n\n（文章来源：{publisher}）\n\n<http://news.example/{name}.html>\n"
            files[f"_posts/{when}-{name}.md"] = post(
                title=text[:10], date=f"{when} 09:{copy:02d}:00 +0800", tag="东财滚动新闻", body=body
            )
    return files


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaking")
    newsdata.build(write_archive(folder / "in", leaking_posts(130, 4)), folder / "out", num_proc=1, max_leak=1)
    return folder / "out"


@pytest.fixture(scope="module")
def report(out: Path) -> dict[str, Any]:
    return baselines.measure(str(out))


def scores(report: Mapping[str, Any], name: str, measure: str) -> dict[str, dict[str, Any]]:
    (task,) = [task for task in report["tasks"] if task["name"] == name]
    return {score["split"]: score for score in task["scores"] if score["measure"] == measure}


@pytest.mark.slow
def test_a_leak_is_worth_more_than_the_interval(out: Path, report: dict[str, Any]) -> None:
    found = scores(report, "publisher", "accuracy")
    assert found["random"]["low"] > found["folds"]["high"] and found["random"]["score"] > 0.8
    assert found["folds"]["high"] < 0.45 and found["frozen"]["high"] < 0.75  # chance is .25
    assert found["random"]["test"] == found["frozen"]["test"] and found["random"]["train"] == found["frozen"]["train"]
    rows = pd.concat([newsdata.load_pandas(out, split=split) for split in ("train", "test")])
    assert scores(report, "board tagging", "micro-F1")["folds"]["test"] == rows["mentions"].map(len).sum()
    for score in (score for task in report["tasks"] for score in task.get("scores", ())):
        assert 0 <= score["low"] <= score["high"] <= 1 and score["test"] > 0


@pytest.mark.slow
def test_the_same_bytes_from_every_process(out: Path, report: dict[str, Any], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "3"}
    asked = [sys.executable, str(ROOT / "scripts" / "baselines.py"), str(out), "--json"]
    printed = subprocess.run(asked, capture_output=True, check=True, env=environment, cwd=ROOT).stdout
    assert printed.decode() == json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    assert baselines.measure(str(out), seed=1) != report
    (tmp_path / "scores.json").write_text(json.dumps(report), "utf-8")
    assert read_baselines(tmp_path / "scores.json") == report
    shown = baselines.show(report)
    assert "publisher" in shown and "micro-F1" in shown and "recall@10" in shown


def pool(count: int = 70) -> pd.DataFrame:
    rng = random.Random(1)
    columns = {
        "title": [words(rng, 24) for _ in range(count)],
        "digest": [None] * count,
        "text": [words(rng) for _ in range(count)],
        "publisher": [PUBLISHERS[number % 3] for number in range(count)],
        "mentions": [[] for _ in range(count)],
        "tags": [["a"] if number % 2 else ["b", "c"] for number in range(count)],
        "categories": [[] for _ in range(count)],
        "published_at": [
            pd.Timestamp(FIRST + timedelta(days=number // 2), tz="Asia/Shanghai") for number in range(count)
        ],
        "split": ["train"] * (count - 30) + ["test"] * 30,
        "fold": [number % 10 for number in range(count)],
        "group": range(count),
    }
    return pd.DataFrame(columns)


def cut_of(rows: pd.DataFrame) -> tasks.Cut:
    tested = (rows["split"] == "test").to_numpy()
    return tasks.Cut(np.flatnonzero(~tested), np.flatnonzero(tested))


def test_a_title_finds_its_text_and_equal_texts_share_a_rank() -> None:
    rows = pool()
    rows["text"] = rows["title"] + rows["text"]
    rows["fold"] %= 2  # larger than test, so that all of it is tested
    texts = rows["text"].tolist()
    rows["text"] = [*texts[:69], texts[68]]  # the text of 68 is there twice, that of 69 is not
    task = tasks.retrieval(rows)
    at, parts = task.parts(cut_of(rows), 0)
    rank = dict(zip(at.tolist(), (1 / parts[:, 0]).round(6).tolist(), strict=True))
    assert all(rank[number] == 1 for number in range(40, 68)) and rank[68] == 1.5 and rank[69] > 1
    sums = parts.sum(axis=0)
    assert task.measures["MRR"](sums) == pytest.approx(np.mean([1 / one for one in rank.values()]))
    assert task.measures["recall@1"](sums) == 28 / 30


def test_titles_of_every_cut_are_looked_up_among_as_many_texts() -> None:
    """Else a score of ten small folds would be better than that of one large test, whatever copies are worth."""
    rows = pool()
    task = tasks.retrieval(rows)
    assert "among 7 tested texts in every cut" in task.about
    for cuts in baselines._cuts(task.rows, 0).values():
        for cut in cuts:
            at, parts = task.parts(cut, 0)
            assert len(at) == 7 and set(at) <= set(cut.test) and (1 / parts[:, 0]).max() <= 7
            assert at.tolist() == task.parts(cut, 0)[0].tolist()


@pytest.mark.parametrize(("tested", "measured"), [(29, False), (30, True)])
def test_a_task_with_few_tested_rows_is_left_out(tested: int, measured: bool) -> None:
    rows = pool().assign(split=["train"] * (70 - tested) + ["test"] * tested)
    for name, make in tasks.TASKS.items():
        found = baselines._measured(name, make, rows, 0)
        assert ("scores" in found) == measured and (measured or f"{tested} of test" in found["left_out"])


def test_f1_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    rows = pool()
    task = tasks.boards(rows)
    assert task.facts == {"labels": "tags", "classes": 3}
    cut = cut_of(rows)
    _, parts = task.parts(cut, 0)
    truth = np.array([[label in tags for label in ("a", "b", "c")] for tags in rows["tags"]])
    matrix = tasks.features([text[: tasks.CHARS] for text in rows["text"]])
    guessed = np.stack(
        [tasks.fit_linear(matrix[cut.train], truth[cut.train, k], 0).predict(matrix[cut.test]) for k in range(3)],
        axis=1,
    )
    expected = f1_score(truth[cut.test], guessed, average="micro")
    assert task.measures["micro-F1"](parts.sum(axis=0)) == pytest.approx(expected)


def test_what_has_no_labels_is_left_out() -> None:
    rows = pool().assign(publisher=None, title="", tags=pd.Series([[]] * 70))
    measured = [baselines._measured(name, make, rows, 0) for name, make in tasks.TASKS.items()]
    assert [task["name"] for task in measured if "left_out" in task] == [*tasks.TASKS]
    assert "there are no tags" in measured[2]["left_out"]
    blank = pool().assign(title=None, text=None)  # as in a version without text
    assert [baselines._measured(name, make, blank, 0)["left_out"] for name, make in tasks.TASKS.items()] == [
        "too few rows have a text and a publisher: 0 of train, 0 of test",
        "too few rows have a title and a text: 0 of train, 0 of test",
        "no article of train has a mention of a board, and there are no tags or categories to tell apart",
    ]
    one = pool().assign(publisher="甲报")
    assert "same label" in baselines._measured("publisher", tasks.publishers, one, 0)["left_out"]


def test_intervals_draw_groups() -> None:
    parts = np.stack([np.repeat([0.0, 1.0], 50), np.ones(100)], axis=1)
    alone = [sums[0] / sums[1] for sums in baselines._drawn(parts, np.arange(100), 0)]
    together = [sums[0] / sums[1] for sums in baselines._drawn(parts, np.repeat(np.arange(4), 25), 0)]
    assert np.std(alone) == pytest.approx(0.05, abs=0.01) and np.std(together) > 3 * np.std(alone)


# -------------------------------------------------------------------------------------------------------- prices


def priced(tmp_path: Path, lines: str, head: str = "symbol,date,close") -> Path:
    (tmp_path / "prices.csv").write_text(f"{head}\n{lines}", "utf-8")
    return tmp_path / "prices.csv"


def linked(rows: pd.DataFrame, code: str = "600001") -> pd.DataFrame:
    mention = {"kind": "security", "code": code, "exchange": "XSHG", "text": "甲"}
    return rows.assign(mentions=pd.Series([[mention, mention]] * len(rows)))


def test_the_label_is_the_next_session_against_the_last_close(tmp_path: Path) -> None:
    days = [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=4)]
    lines = "".join(f"600001.XSHG,{day},{close}\n" for day, close in zip(days, (10, 11, 9), strict=True))
    found = prices.read_prices(priced(tmp_path, lines))
    rows = linked(pool()).iloc[[0, 2, 4, 8, 9]]  # the days 1, 2, 3, 5 and 5
    assert [*prices._labels(rows, found)] == [
        (0, True, str(days[1])),
        (1, False, str(days[2])),
        (2, False, str(days[2])),
    ]
    by_code = prices.read_prices(priced(tmp_path, lines.replace(".XSHG", ""), "code,date,close"))
    assert [*prices._labels(rows, by_code)] == [*prices._labels(rows, found)]


def test_codes_of_hong_kong_are_found_by_their_symbol(tmp_path: Path) -> None:
    lines = "".join(f"00700.XHKG,{FIRST + timedelta(days=k)},{300 + k}\n" for k in range(3))
    mention = {"kind": "security", "code": "700", "exchange": "XHKG"}
    rows = pd.DataFrame({"mentions": [[mention]], "published_at": [pd.Timestamp(FIRST) + pd.Timedelta(hours=12)]})
    found = prices.read_prices(priced(tmp_path, lines))
    assert [*prices._labels(rows, found)] == [(0, True, str(FIRST + timedelta(days=1)))]


def test_the_direction_is_learned_where_the_text_tells_it(tmp_path: Path) -> None:
    rng = random.Random(3)
    up = [rng.random() < 0.5 for _ in range(40)]
    closes = np.cumsum([1 if one else -1 for one in up]) + 1000
    lines = "".join(f"600001.XSHG,{FIRST + timedelta(days=k)},{close}\n" for k, close in enumerate(closes.tolist()))
    found = prices.read_prices(priced(tmp_path, lines))
    rows = linked(pool())
    told = ["利好消息推动走高。" if up[number // 2 + 1] else "利空消息拖累走低。" for number in range(70)]
    task = prices.direction(rows.assign(text=told), found)
    _, parts = task.parts(cut_of(task.rows), 0)
    assert task.measures["accuracy"](parts.sum(axis=0)) == 1 and "nothing is claimed" in task.about
    blind = prices.direction(rows, found)
    _, parts = blind.parts(cut_of(blind.rows), 0)
    assert blind.measures["accuracy"](parts.sum(axis=0)) < 0.85
    assert "left_out" in baselines._measured("next session", lambda some: prices.direction(some, found), pool(), 0)


@pytest.mark.parametrize(
    ("head", "lines", "where"),
    [
        ("symbol,day,close", "a,2022-03-01,1\n", "line 1"),
        ("symbol,date,close", "", "no line"),
        ("symbol,date,close", "a,2022-03-01,1\na,2022-02-30,1\n", "line 3"),
        ("symbol,date,close", "a,2022-03-01,nan\n", "line 2"),
        ("symbol,date,close", "a,2022-03-01,inf\n", "line 2"),
        ("symbol,date,close", "a,2022-03-01,0\n", "line 2"),
        ("symbol,date,close", "a,2022-03-01\n", "line 2"),
        ("symbol,date,close", ",2022-03-01,1\n", "line 2"),
        ("code,date,close", "a,2022-03-01,1\na,2022-03-01,2\n", "two lines"),
    ],
)
def test_a_price_file_that_is_none(head: str, lines: str, where: str, tmp_path: Path) -> None:
    with pytest.raises(prices.PriceError, match=where):
        prices.read_prices(priced(tmp_path, lines, head))


@pytest.mark.slow
def test_copies_of_a_synthetic_archive_are_worth_something(tmp_path: Path) -> None:
    import make_archive

    make_archive.make_archive(tmp_path / "in", posts=3000)
    newsdata.build(tmp_path / "in", tmp_path / "out", max_leak=1)
    report = baselines.measure(str(tmp_path / "out"))
    assert report == baselines.measure(str(tmp_path / "out"))
    found = scores(report, "board tagging", "micro-F1")
    assert found["random"]["low"] > found["folds"]["high"]


@pytest.mark.slow
def test_errors_are_one_line(tmp_path: Path) -> None:
    asked = [sys.executable, str(ROOT / "scripts" / "baselines.py"), str(tmp_path)]
    failed = subprocess.run(asked, capture_output=True, text=True, cwd=ROOT)
    assert failed.returncode == 1 and failed.stderr.startswith("error: ") and "Traceback" not in failed.stderr
    for seed in ("-1", str(2**32), "x"):
        with pytest.raises(argparse.ArgumentTypeError, match="must be a whole number from 0 to 4294967295, got"):
            baselines._seed(seed)
    assert baselines._seed("4294967295") == 2**32 - 1
