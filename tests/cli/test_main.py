"""Exit codes: every error ends as one message."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from newsdata.cli import main as command_line
from newsdata.cli.main import cli
from newsdata.errors import CallError, DataError

from ..conftest import run_newsdata


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "nowhere", "out"],
        ["info", "nowhere"],
        ["verify", "nowhere"],
        ["parse", "nowhere.md"],
        ["build"],
        ["bild"],
    ],
)
def test_wrong_calls_end_with_2_and_no_traceback(arguments: list[str], tmp_path: Path) -> None:
    found = run_newsdata(*arguments, cwd=tmp_path)
    assert found.returncode == 2 and "Traceback" not in found.stderr and found.stderr.strip()
    assert not (tmp_path / "out" / "1.0.0").exists()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("is wrong", path="out"), 1, "newsdata: out: is wrong"),
        (CallError("is wrong"), 2, "newsdata: is wrong"),
        (click.UsageError("no such option"), 2, "newsdata: no such option"),
        (click.Abort(), 130, "newsdata: stopped; earlier versions are unchanged"),
        (KeyboardInterrupt(), 130, "newsdata: stopped; earlier versions are unchanged"),
        (MemoryError(), 2, "newsdata: the machine ran out of memory; try --num-proc 1"),
        (ImportError("no module pyarrow"), 2, "newsdata: a library cannot be loaded (no module pyarrow)"),
        (UnicodeEncodeError("ascii", "新", 0, 1, "x"), 2, "PYTHONUTF8=1"),
        (
            OSError(28, "No space left on device", "/out/\x1b"),
            2,
            "newsdata: /out/\\x1b: the system said: No space left",
        ),
    ],
)
def test_an_error_is_one_message_and_an_exit_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert command_line._run() == code
    told = capfd.readouterr()
    assert said in told.err and "Traceback" not in told.err and told.out == ""


def test_a_reader_that_went_away_is_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a closed pipe gives is tested with real processes; here only that it is no traceback."""
    closed: list[tuple[int, int]] = []

    def fail(**_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.setattr("os.dup2", lambda *numbers: closed.append(numbers))
    assert command_line._run() == 141
    assert [number for _, number in closed] == [1]


def test_every_command_is_in_the_list() -> None:
    assert sorted(cli.commands) == [
        "build", "card", "diff", "duplicates", "explore", "info", "mentions", "parse", "prune", "publish", "redact", "regenerate",
        "rehydrate", "show", "verify", "where", "yank",
    ]  # fmt: skip


def test_help_fits_on_one_line_a_command() -> None:
    told = run_newsdata("--help", COLUMNS="80").stdout.partition("Commands:\n")[2].splitlines()
    assert "..." not in "".join(told) and max(map(len, told)) <= 80
    assert [line.split()[0] for line in told] == list(cli.commands)


def test_no_command_gives_the_help_once() -> None:
    done = run_newsdata()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == run_newsdata("--help").stdout


def test_the_version_of_the_package() -> None:
    import newsdata

    assert run_newsdata("--version").stdout == f"newsdata {newsdata.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "a", "b", "--num-proc", "two"], "'--num-proc': must be a whole number of at least 1, got 'two'"),
        (["build", "a", "b", "--num-proc", "0"], "'--num-proc': must be a whole number of at least 1, got '0'"),
        (
            ["build", "a", "b", "--max-reject-share", "5%"],
            "'--max-reject-share': must be a number from 0 to 1, got '5%'",
        ),
        (["build", "a", "b", "--takeover", "inf"], "'--takeover': must be a number of at least 0.1, got 'inf'"),
        (["build", "a", "b", "--max-leak", "nan"], "'--max-leak': must be a number from 0 to 1, got 'nan'"),
        (["explore", "a", "--cache-size", "nan"], "'--cache-size': must be a number from 0.1 to 1000000, got 'nan'"),
        (
            ["explore", "a", "--cache-size", "1e300"],
            "'--cache-size': must be a number from 0.1 to 1000000, got '1e300'",
        ),
        (["build", "a", "b", "--max-leak", "2"], "'--max-leak': must be a number from 0 to 1, got '2'"),
        (["show", "a", "-n", "1.5"], "'-n': must be a whole number from 1 to 1000, got '1.5'"),
    ],
)
def test_a_number_that_is_none_or_out_of_range(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2 and f"Invalid value for {said}" in done.output


def test_an_empty_name_is_no_folder(tmp_path: Path) -> None:
    done = run_newsdata("prune", "", "--keep", 1, cwd=tmp_path)
    assert done.returncode == 2 and "the name is empty" in done.stderr
