"""The command `publish`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from newsdata.cli.main import cli
from newsdata.storage.manifest import hash_file

from ..conftest import run_newsdata
from ..versions import make_version


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_version(tmp_path_factory.mktemp("out"))


def test_a_dry_run_sends_nothing(made: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["publish", str(made), str(tmp_path / "public"), "--dry-run"])
    assert done.exit_code == 0
    assert f"1.0.0 to {tmp_path / 'public'}: 7 new, 0 changed, 0 deleted, 0 unchanged files" in done.stderr
    assert "it holds the publishers' text: sending it needs --full-text" in done.stderr
    assert "  new      README.md\n" in done.stdout
    assert not (tmp_path / "public").exists()


def test_only_a_repository_can_be_made_public(made: Path, tmp_path: Path) -> None:
    for target in (str(tmp_path / "public"), "s3://bucket/news"):
        done = CliRunner().invoke(cli, ["publish", str(made), target, "--public", "--full-text", "--yes"])
        assert done.exit_code == 2 and "--public goes with a repository on the Hub" in done.output
    assert not (tmp_path / "public").exists()


@pytest.mark.slow
def test_it_asks_before_it_sends(made: Path, tmp_path: Path) -> None:
    arguments = ["publish", str(made), str(tmp_path / "public"), "--full-text"]
    done = CliRunner().invoke(cli, arguments, input="n\n")
    assert "Send it?" in done.stderr and "not confirmed" in str(done.exception) and not (tmp_path / "public").exists()
    nobody = run_newsdata(*arguments)
    assert nobody.returncode == 2 and "not confirmed; nothing was sent" in nobody.stderr
    done = CliRunner().invoke(cli, arguments, input="y\n")
    assert done.exit_code == 0 and done.stdout.startswith(f"Published 1.0.0 to {tmp_path / 'public'}/1.0.0: 7 files, ")
    sent = tmp_path / "public" / "1.0.0"
    assert {p.name: hash_file(p) for p in sent.rglob("*") if p.is_file()} == {
        p.name: hash_file(p) for p in made.rglob("*") if p.is_file()
    }
    again = CliRunner().invoke(cli, arguments)
    assert again.exit_code == 0 and again.stdout == "1.0.0 is there already, with the same content; nothing was sent\n"


@pytest.mark.slow
def test_full_text_needs_a_decision(made: Path, tmp_path: Path) -> None:
    done = run_newsdata("publish", made, tmp_path / "public", "--yes")
    assert done.returncode == 2 and "use --full-text" in done.stderr and not (tmp_path / "public").exists()
