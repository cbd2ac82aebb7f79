"""What the wheel and the sdist hold. `make dist` makes them, and .ci/run runs the demo with the wheel alone."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import PurePosixPath

import pytest

from .conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def listed() -> list[str]:
    found = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip("not a git checkout")
    return found.stdout.splitlines()


def test_every_file_of_the_package_is_in_the_wheel() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["newsdata"]
    in_wheel = {path for pattern in patterns for path in (ROOT / "newsdata").glob(pattern) if path.is_file()}
    others = {ROOT / path for path in listed() if path.startswith("newsdata/") and PurePosixPath(path).suffix != ".py"}
    assert {ROOT / "newsdata/py.typed", ROOT / "newsdata/card/dataset_card.md"} <= others <= in_wheel


def test_every_folder_is_in_the_sdist_or_left_out_on_purpose() -> None:
    named = {
        word.partition("/")[0]
        for line in (ROOT / "MANIFEST.in").read_text("utf-8").splitlines()
        for word in line.split()[1:]
    }
    there = {path.partition("/")[0] for path in listed()}
    assert there - named <= {"newsdata", "pyproject.toml", "MANIFEST.in", ".gitignore"}


def test_the_version_and_the_extras_are_those_of_the_documents() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for name in extras:
        assert f"`{name}`" in text, name
    assert f"## {PROJECT['project']['version']} " in (ROOT / "CHANGELOG.md").read_text("utf-8")
