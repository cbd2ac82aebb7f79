"""The file that says which published versions were yanked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsdata.dataset.hub_marks import marks_text, read_marks
from newsdata.errors import ManifestError


def test_marks_are_read_oldest_first_and_safe_to_print(tmp_path: Path) -> None:
    file = tmp_path / "marks"
    file.write_text(marks_text({"1.10.0": "two\nlines", "1.9.0": "red \x1b[31m"}), encoding="utf-8")
    assert list(read_marks(file, "lab/finews").items()) == [("1.9.0", "red \\x1b[31m"), ("1.10.0", "two lines")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"1.0.0": 1}',
        '{"main": "x"}',
        '{"01.0.0": "x"}',
        '{"1.0.0": "' + 20_000 * "x" + '"}',
        " " * (1 << 20) + "{}",
        100_000 * "[",
    ],
    ids=range(9),
)
def test_damaged_marks(tmp_path: Path, text: str) -> None:
    (tmp_path / "marks").write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match=r"^lab/finews: .*nobody knows which versions are bad"):
        read_marks(tmp_path / "marks", "lab/finews")


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "marks")
    with pytest.raises(ManifestError, match="is not a regular file"):
        read_marks(tmp_path / "marks", "lab/finews")
