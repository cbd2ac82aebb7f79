"""The progress bar."""

from __future__ import annotations

import io

import pytest

from newsdata.cli.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_for_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_bar(quiet=False) as advance:
        assert advance
        advance("parse", 0, 200)
        advance("parse", 100, 200)
        advance("merge", 1, 3)
    shown = terminal.getvalue()
    assert "parse     :   0%" in shown and "merge     :" in shown
    assert shown.endswith("\r"), "the last bar is removed"


def told_after(terminal: Terminal) -> str:
    """What the bar shows since this was asked last."""
    told = terminal.getvalue().rpartition("\r")[2]
    terminal.seek(0)
    terminal.truncate()
    return told


def test_no_time_left_is_told_before_a_tenth_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of earlier builds, which come at once, are no measure; then all of the stage is, not its last moment."""
    terminal, now = Terminal(), [100.0]
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("newsdata.cli.progress.time.monotonic", lambda: now[0])
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    with progress_bar(quiet=False) as advance:
        assert advance
        for done, seconds, left in [
            (0, 0.0, ""), (2000, 0.1, ""), (2010, 1.0, ""), (2099, 5.0, ""), (2100, 1.0, "14/s, about 63 s left"),
            (2500, 1.0, "62/s, about 8 s left"), (2501, 40.0, "10/s, about 48 s left"),
        ]:  # fmt: skip
            now[0] += seconds
            advance("parse", done, 3000)
            if done > 2000:
                told = told_after(terminal)
                assert told.endswith(f"{done}/3000{', ' if left else ''}{left}") or f", {left} " in told, told


def test_a_stage_without_a_total_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_bar(quiet=False) as advance:
        assert advance
        advance("list", 0, 0)
        assert "list      : 0" in terminal.getvalue() and "%" not in terminal.getvalue()


def test_no_bar_on_a_terminal_without_a_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "dumb")
    with progress_bar(quiet=False) as advance:
        assert advance
        advance("parse", 1, 2)
    assert terminal.getvalue() == ""


def test_the_bar_is_removed_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with pytest.raises(ValueError), progress_bar(quiet=False) as advance:  # noqa: PT011, PT012, RUF100
        assert advance
        advance("parse", 1, 2)
        raise ValueError
    assert terminal.getvalue().endswith("\r")


def test_no_bar_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(quiet=True) as nothing:
        assert nothing is None
    with progress_bar(quiet=False) as advance:
        assert advance
        advance("parse", 1, 2)
    assert capsys.readouterr().err == ""
