"""The command `mentions`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import click.testing
import pandas as pd
import pytest

import newsdata
from newsdata.cli.main import cli
from newsdata.errors import MachineError

from ..conftest import ROOT, post, run_newsdata, write_archive
from ..terminal import in_terminal


def run(*arguments: object) -> click.testing.Result:
    """The command in this process."""
    return click.testing.CliRunner().invoke(cli, ["mentions", *map(str, arguments)], standalone_mode=False)


@pytest.mark.slow
def test_what_is_mentioned_most(demo: Path) -> None:
    done = run_newsdata("mentions", demo)
    frame = newsdata.load_mentions(demo)
    most = frame[frame["first"]].groupby("symbol").size().sort_values()
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[0] == f"{len(frame)} mentions in {frame['article_id'].nunique()} articles"
    assert lines[2].split()[1] == str(most.iloc[-1])
    told = json.loads(run(demo, "--json", "--split", "train").stdout)
    train = frame[frame["split"] == "train"]
    assert told["rows"] == len(train) and sum(told["origin"].values()) == len(train)
    assert [one["articles"] for one in told["symbols"]] == sorted(
        (one["articles"] for one in told["symbols"]), reverse=True
    )


@pytest.mark.slow
def test_a_version_without_text_names_nobody(tmp_path: Path) -> None:
    newsdata.build(ROOT / "examples" / "archive", tmp_path / "free", text="none", num_proc=1)
    done = run(tmp_path / "free")
    assert done.exception is None
    assert {line.split()[-1] for line in done.stdout.splitlines()[2:] if line.strip()} == {"-"}
    told = json.loads(run(tmp_path / "free", "--json").stdout)
    assert told["symbols"] and {one["text"] for one in told["symbols"]} == {None}


@pytest.mark.slow
def test_csv_has_every_row_and_every_zero(demo: Path, tmp_path: Path) -> None:
    frame = newsdata.load_mentions(demo)
    done = run(demo, "--csv", tmp_path / "m.csv")
    assert done.exception is None and done.stdout.startswith(f"wrote {len(frame)} mentions in ")
    text = (tmp_path / "m.csv").read_text("utf-8")
    assert run_newsdata("mentions", demo, "--csv", "-").stdout == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == list(frame.columns)
    for row, expected in zip(rows, frame.to_dict("records"), strict=True):
        for name in ("mention_id", "article_id", "code", "exchange", "symbol", "text"):
            assert row[name] == ("" if pd.isna(expected[name]) else expected[name])
        assert row["published_at"] == expected["published_at"].isoformat()
        assert (row["start"], row["end"]) == (str(expected["start"]), str(expected["end"]))
        assert (row["first"], row["in_title"]) == (str(expected["first"]).lower(), str(expected["in_title"]).lower())
    read = pd.read_csv(tmp_path / "m.csv", dtype={"article_id": str, "code": str})
    assert read["code"].fillna("").tolist() == frame["code"].fillna("").tolist()
    assert any(code.startswith("0") for code in read["code"].dropna())
    assert pd.read_csv(tmp_path / "m.csv")["symbol"].fillna("").tolist() == frame["symbol"].fillna("").tolist()


@pytest.mark.slow
def test_words_of_anybody_stay_what_they_are(tmp_path: Path) -> None:
    link = '<span class="wz"><a href="http://quote.example/unify/r/1.600519" class="keytip">{}</a></span>'
    words = ("=1+1", 'a,"b"', "@x")
    files = {
        f"_posts/2022-03-0{day}-NW20220301000000000{day}.md": post(
            tag="g\u202enp", category="chenbao", body=f"<p>今日{link.format(word)}走高，收于高位。</p>\n"
        )
        for day, word in enumerate(words, 1)
    }
    newsdata.build(write_archive(tmp_path / "archive", files), tmp_path / "out", num_proc=1, max_leak=1.0)
    done = run(tmp_path / "out", "--csv", "-")
    found = [row["text"] for row in csv.DictReader(io.StringIO(done.stdout))]
    frame = newsdata.load_mentions(tmp_path / "out")
    assert found == frame["text"].tolist() and set(found) == set(words)
    told = in_terminal(200, "mentions", tmp_path / "out", "--csv", "-")
    assert told.code == 0 and len(told.lines) == 4, "a terminal gets no mark that turns the direction of text"
    assert "\u202e" not in told.raw and any("g\\u202enp" in line for line in told.lines)


def test_calls_that_cannot_be_met(demo: Path, tmp_path: Path) -> None:
    both = run(demo, "--csv", "-", "--json")
    assert isinstance(both.exception, click.UsageError) and "both write to stdout" in both.exception.message
    with pytest.raises(MachineError, match="cannot be written: No such file"):
        raise run(demo, "--csv", tmp_path / "no" / "m.csv").exception or AssertionError
