"""What is printed: for people, for machines, and as log lines."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from newsdata.cli.output import complain, log_to_stderr, print_json, say

from ..conftest import post, run_newsdata, write_archive


@pytest.mark.slow
def test_json_can_be_read_and_harms_no_terminal(tmp_path: Path) -> None:
    title = "库存\u009b31m\u202e\u2028第1报"
    archive = write_archive(tmp_path, {"_posts/2022-03-01-202203010000000001.md": post(title=title)})
    path = archive / "_posts" / "2022-03-01-202203010000000001.md"
    told = run_newsdata("parse", path, PYTHONUTF8="1").stdout
    assert "库存" in told and told.replace("\n", "").replace("\u3000", "").isprintable()
    plain = run_newsdata("parse", path, PYTHONUTF8="0", PYTHONIOENCODING="ascii").stdout
    assert plain.isascii() and json.loads(plain) == json.loads(told)
    assert json.loads(told)["title"].startswith("库存›31m\u202e")


@dataclasses.dataclass
class Record:
    path: Path
    when: datetime
    counts: Counter[str]


class Row(NamedTuple):
    day: date
    parts: tuple[int, ...]


def test_json_of_records(capsys: pytest.CaptureFixture[str]) -> None:
    when = datetime(2022, 3, 1, 9, 30, tzinfo=UTC)
    print_json([Record(Path("a/b"), when, Counter("xx")), Row(date(2022, 3, 1), (1, 2)), {1: None}])
    assert json.loads(capsys.readouterr().out) == [
        {"path": "a/b", "when": "2022-03-01T09:30:00+00:00", "counts": {"x": 2}},
        {"day": "2022-03-01", "parts": [1, 2]},
        {"1": None},
    ]


@pytest.mark.parametrize(("printing", "stream"), [(say, "stdout"), (complain, "stderr")])
def test_letters_that_the_encoding_lacks_are_escaped(
    printing: Callable[[str], None], stream: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as file:
        monkeypatch.setattr(f"sys.{stream}", file)
        printing("新")
    assert (tmp_path / "out").read_text("ascii").endswith("\\u65b0\n")


def test_nothing_is_logged_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("newsdata").info("parse: 3 rows")
    assert capsys.readouterr().err == ""


def test_log_lines_are_escaped_and_end_with_the_block(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("newsdata")
    with log_to_stderr():
        logger.info("reading %s", "a\x1b[31m\nb.md")
        logger.debug("too much")
        logging.getLogger("other").info("of another library")
    logger.info("later")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].endswith("newsdata: reading a\\x1b[31m\\nb.md")
    assert logger.level == logging.NOTSET and logger.handlers == []


@pytest.mark.slow
def test_verbose_logs_the_stages_of_a_build(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", {"_posts/2022-03-01-202203010000000001.md": post()})
    done = run_newsdata("build", archive, tmp_path / "out", "--quiet", "--num-proc", 1, "-v")
    assert done.returncode == 0 and " newsdata: parse: " in done.stderr, done.stderr
    done = run_newsdata("verify", tmp_path / "out", "--verbose")
    assert done.returncode == 0, done.stderr
    done = run_newsdata("build", archive, tmp_path / "out", "--quiet", "--num-proc", 1)
    assert done.returncode == 0 and " newsdata: " not in done.stderr


def test_a_long_message_is_broken_between_words_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "out/1.0.0: " + " ".join(["words"] * 30) + "\n  _posts/" + "a" * 90 + ".md: why"
    complain(message)
    assert capsys.readouterr().err == f"newsdata: {message}\n", "programs get one line"
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    complain(message)
    told = capsys.readouterr().err
    assert told.split() == f"newsdata: {message}".split()
    assert [line for line in told.splitlines() if len(line) > 80] == [f"  _posts/{'a' * 90}.md:"]
