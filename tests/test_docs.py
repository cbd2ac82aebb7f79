"""Every marked snippet of the README runs, in order, in one folder; and what it names is there."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

BLOCK = re.compile(r"<!-- run(?: with (\w+))? -->\n```(console|python)\n(.*?)```", re.DOTALL)


def environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"]}


@pytest.mark.parametrize(
    ("document", "module"), [("README.md", ""), ("docs/research.md", ""), ("docs/research.md", "torch")]
)
def test_snippets_run(document: str, module: str, tmp_path: Path) -> None:
    """`module`: run the blocks that need it, which is no dependency, after the commands."""
    if module and importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    for folder in ("examples", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    every = BLOCK.findall((ROOT / document).read_text("utf-8"))
    blocks = [(kind, text) for needs, kind, text in every if needs == module or (kind == "console" and not needs)]
    assert len(blocks) >= (3 if module else 5)
    for kind, text in blocks:
        commands = [line[2:].split("#")[0].split() for line in text.splitlines() if line.startswith("$ ")]
        if kind == "python":
            commands = [["python", "-c", text]]
        for command in commands:
            found = subprocess.run(
                command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120, check=False
            )
            assert found.returncode == 0, f"{' '.join(command)}\n{found.stderr}"


def test_links_lead_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/research.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / document).read_text("utf-8")):
            assert ((ROOT / document).parent / target).exists(), f"{document}: {target}"


def test_readme_names_every_option_of_build() -> None:
    from newsdata.cli.main import cli

    text = (ROOT / "README.md").read_text("utf-8")
    for parameter in cli.commands["build"].params:
        if parameter.param_type_name == "option" and parameter.name not in ("quiet",):
            assert any(f"`{name}" in text for name in (*parameter.opts, *parameter.secondary_opts)), parameter.name


def test_readme_shows_the_demo_as_it_is(demo: Path) -> None:
    import newsdata

    counts = newsdata.info(demo)["accounting"]
    text = (ROOT / "README.md").read_text("utf-8")
    assert f"{counts['files_seen']} files = {counts['posts']} posts + {counts['rejects']} rejects" in text
    assert f"{counts['posts']} posts = {counts['articles']} articles + {counts['merged_posts']} merged" in text


def test_nothing_tells_where_it_was_written() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    words = re.compile("|".join(["/wo" + "rk/", "pypi" + r"\.org", "files\\.pytho" + "nhosted", "/ro" + "ot/"]))
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            text = path.read_bytes().decode("utf-8", "replace")
            assert not words.search(text), f"{name}: {words.search(text)}"
