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
