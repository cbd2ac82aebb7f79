"""Commands for versions that were built; `yank`, `prune` and `redact` are tested with what they do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from newsdata.cli.main import cli
from newsdata.errors import CallError
from newsdata.maintenance.verify import Verified

from ..terminal import in_terminal


class Verify:
    """Stands for `newsdata.maintenance.verify.verify`: notes how it was called and gives a result."""

    def __init__(self, **result: Any) -> None:
        self.asked: dict[str, Any] = {}
        self.result = Verified(path=Path("out"), version="1.0.0", files=3, rows=1200, **({"faults": ()} | result))

    def __call__(self, directory: str, **options: Any) -> Verified:
        self.asked = options
        return self.result


def run(monkeypatch: pytest.MonkeyPatch, verify: Verify, *arguments: str) -> Result:
    monkeypatch.setattr("newsdata.maintenance.verify.verify", verify)
    return CliRunner().invoke(cli, ["verify", "out", *arguments])


def test_only_what_was_asked_for_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = Verify()
    done = run(monkeypatch, verify)
    assert (done.exit_code, done.output) == (0, "out: good (3 files, 1,200 rows)\n")
    assert verify.asked == {"revision": None}
    run(monkeypatch, verify, "--revision", "1.*", "--recompute", "5", "--source", "in")
    assert verify.asked == {"revision": "1.*", "recompute": 5, "source": "in"}
    assert run(monkeypatch, verify, "--recompute", "0").exit_code == 2


def test_recomputed_rows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, Verify(recomputed=5, to_recompute=5, notes=("note one",)), "--recompute", "5")
    assert done.exit_code == 0
    assert done.output.splitlines() == ["note: note one", "out: good (3 files, 1,200 rows, 5 rows recomputed)"]
    done = run(monkeypatch, Verify(recomputed=3, to_recompute=5), "--recompute", "9")
    assert (done.exit_code, done.output) == (0, "out: good (3 files, 1,200 rows, 3 of 5 rows recomputed)\n")


def test_nothing_recomputed_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = Verify(recomputed=0, notes=("no source",))
    done = run(monkeypatch, verify, "--recompute", "5")
    assert done.exit_code == 2
    assert done.output.splitlines() == [
        "note: no source",
        "out: not recomputed: no row could be made anew from the archive",
    ]
    done = run(monkeypatch, verify, "--recompute", "5", "--json")
    assert done.exit_code == 2 and json.loads(done.output)["recomputed"] == 0


def test_faults_are_listed_and_decide_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = Verify(recomputed=0, faults=("a: is missing", "b: is missing"))
    done = run(monkeypatch, verify, "--recompute", "5")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "a: is missing",
        "b: is missing",
        "out: not recomputed: no row could be made anew from the archive",
        "out: 2 faults (3 files, 1,200 rows)",
    ]


def test_what_was_not_checked_and_what_to_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = Verify(
        faults=("a: is missing",), not_checked=("a: its 9 rows",), notes=("b: is extra",), remedies=("get it",)
    )
    done = run(monkeypatch, verify)
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "a: is missing",
        "not checked: a: its 9 rows",
        "note: b: is extra",
        "to mend it: get it",
        "out: 1 fault (3 files, 1,200 rows)",
    ]
    said = json.loads(run(monkeypatch, verify, "--json").output)
    assert (said["not_checked"], said["notes"], said["remedies"]) == (["a: its 9 rows"], ["b: is extra"], ["get it"])


@pytest.mark.slow
def test_one_line_a_check(demo: Path, tmp_path: Path) -> None:
    good = CliRunner().invoke(cli, ["verify", str(demo)]).output.splitlines()
    assert len(good) == 9 and {line.split()[0] for line in good[:-1]} == {"ok"}
    assert "ok      all files are those of the manifest" in good and good[-1].startswith(f"{demo}: good (")
    shutil.copytree(demo, bad := tmp_path / "out")
    (bad / "1.0.0" / "CITATION.cff").write_text("", encoding="utf-8")
    (shard := next((bad / "1.0.0" / "posts").iterdir())).unlink()
    shard.mkdir()
    told = in_terminal(60, "verify", bad)
    assert told.code == 1 and "\x1b[31m\x1b[1mFAILED\x1b[0m  all files are" in told.raw
    assert [line.split(maxsplit=1) for line in told.lines if line.startswith("unsure")] == [
        ["unsure", "all rows have the right columns, offsets and dates"],
        ["unsure", "the posts are the sources of the articles"],
    ]
    assert told.lines[-1].startswith(f"{bad}: 2 faults (")
    older = tmp_path / "two"
    shutil.copytree(bad / "1.0.0", older / "1.0.0")
    shutil.copytree(demo / "1.0.0", older / "1.1.0")
    faults = [line for line in CliRunner().invoke(cli, ["verify", str(older)]).output.splitlines() if "FAILED" in line]
    assert faults == ["FAILED  all files are those of the manifest"], "the checks of all versions are one list"


def test_no_row_of_another_archive_is_called_the_same(demo: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["verify", str(demo), "--recompute", "5", "--source", str(tmp_path)])
    lines = done.output.splitlines()
    assert done.exit_code == 2 and "unsure  rows that are made anew are the same" in lines, done.output
    assert lines[-1].endswith(": not recomputed: no row could be made anew from the archive")
    assert "good" not in done.output


def test_rows_are_not_recomputed_without_an_archive(demo: Path) -> None:
    done = CliRunner().invoke(cli, ["verify", str(demo), "--recompute", "5"])
    assert isinstance(done.exception, CallError) and done.exception.hint == "add --source SOURCE"


def test_rows_of_the_example_are_recomputed(demo: Path) -> None:
    done = CliRunner().invoke(cli, ["verify", str(demo), "--recompute", "3", "--source", "examples/archive"])
    assert done.exit_code == 0 and done.output.endswith(", 3 rows recomputed)\n"), done.output
