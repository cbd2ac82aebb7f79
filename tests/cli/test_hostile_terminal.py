"""Titles, paths, publishers and reasons that would harm a terminal: every command prints them escaped."""

from __future__ import annotations

import logging
import re
import shutil
import sys
import unicodedata
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import newsdata
from newsdata.cli import main as command_line
from newsdata.cli.output import make_foreign_messages_safe

from ..conftest import many_posts, post, write_archive
from ..terminal import in_terminal

EVIL = "\x1b[31mred\x07\x9b1m\u202egnp\u2066\u2028\r\x08"
"""A colour, a bell, a CSI of one byte, marks that turn text, a line separator, a return, a backspace."""

WORDS = "，".join(f"第{n}号仓库存量{n * 37}吨" for n in range(40))


def evil_archive(root: Path) -> Path:
    """Posts whose every field is hostile; two of them are near-copies, one is a reject."""
    files = many_posts(12)
    for number in range(2):
        body = f"\n<p>{WORDS}。</p>\n\n（文章来源：{EVIL}{number}）\n"
        name = f"_posts/2022-03-0{number + 1}-e\x1b[31m\u202e{number}.md"
        files[name] = post(title=f"{EVIL}{number}", date=f"2022-03-0{number + 1} 09:30:00 +0800", tag=EVIL, body=body)
    files[f"_posts/2022-03-03-{EVIL}.md"] = b""
    files["_config.yml"] = f"timezone: Asia/Shanghai\ntitle: '{EVIL[:3]}'\n".encode()
    return write_archive(root, files)


@pytest.fixture(autouse=True)
def safe_messages() -> Iterator[None]:
    """What `main` sets up, undone after each test."""
    factory, show = logging.getLogRecordFactory(), warnings.showwarning
    make_foreign_messages_safe()
    yield
    logging.setLogRecordFactory(factory)
    warnings.showwarning = show


def harm(text: str) -> set[str]:
    """The characters of a text that a terminal should not get."""
    return {
        letter for letter in text if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Cs")
    }


@pytest.mark.slow
def test_every_command_over_hostile_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    archive, out = evil_archive(tmp_path / "archive"), tmp_path / "out"

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["newsdata", *map(str, arguments)])
        monkeypatch.setattr("signal.signal", lambda *_: None)
        command_line._run()
        told = capfd.readouterr()
        text = told.out + told.err
        assert harm(text) == set(), (arguments, text)
        return text

    evil = next((archive / "_posts").glob("*e\x1b*0.md"))
    assert "\\x1b" in run("build", archive, out, "--num-proc", "1", "--max-reject-share", "1")
    assert "\\x1b" in run("parse", evil) + run("parse", f"{evil}.gone")
    for name in (evil.relative_to(archive), f"_posts/2022-03-03-{EVIL}.md", EVIL):
        assert "\\x1b" in run("where", out, name)
    assert "\\x1b" in run("duplicates", out)
    assert "\\x1b" in run("show", out, "-n", "100") + run("show", out, "--grep", "\x1b[31m")
    assert "\\x1b" in run("show", out, evil.relative_to(archive)) + run("show", out, EVIL) + run(
        "show", out, "--grep", EVIL
    )
    evil.write_bytes(evil.read_bytes() + b"\nmore\n")
    run("build", archive, out, "--num-proc", "1", "--max-reject-share", "1")
    versions = sorted(path for path in out.iterdir() if path.name[0].isdigit())
    assert "\\x1b" in run("diff", *versions)
    for command in ("info", "verify", "card"):
        run(command, out)
    run("publish", out, tmp_path / "published", "--full-text", "--yes")
    run("publish", out, f"{EVIL}/x")
    assert "\\x1b" in run("yank", versions[0], "--reason", EVIL) + run("info", versions[0]) + run("info", out)
    run("redact", out, "202203010000000001", "--reason", EVIL)
    assert "\\x1b" in run("redact", out, EVIL, "--reason", EVIL)
    run("prune", out, "--keep", "1")
    assert "\\x1b" in run("info", f"{out}{EVIL}") + run(f"bu{EVIL}") + run("info", out, f"--{EVIL}")
    shutil.rmtree(out)


@pytest.mark.slow
def test_a_hostile_title_in_colours(tmp_path: Path) -> None:
    """On a terminal the only escapes are the program's own, and each is taken back before the line ends."""
    archive, out = evil_archive(tmp_path / "archive"), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1, max_reject_share=1)
    for arguments in (["show", out, "--grep", "red"], ["duplicates", out]):
        told = in_terminal(80, *arguments)
        assert any("2022-03-01-e\\x1b[31m\\u202e0" in line for line in told.lines)
        assert told.code == 0 and "\x1b[1m" in told.raw and harm("".join(told.lines)) == set()
        assert set(re.findall(r"\x1b\[[0-9]*m?", told.raw)) <= {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[30m", "\x1b[43m"}
        for line in told.raw.splitlines():
            assert line.rfind("\x1b[0m") >= line.rfind("\x1b["), line


def test_warnings_and_logs_of_libraries_are_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("some.library")
    handler = logging.StreamHandler(sys.stderr)
    logger.addHandler(handler)
    try:
        logger.warning("the server says %s", EVIL)
    finally:
        logger.removeHandler(handler)
    warnings.showwarning(UserWarning(EVIL), UserWarning, "file", 1)
    told = capfd.readouterr().err
    assert harm(told) == set() and told.count("\\x1b[31mred") == 2
