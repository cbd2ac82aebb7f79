"""The pages of the documentation site: what is written from the code is whole, and the menu names every page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import newsdata
from newsdata.cli.main import cli
from newsdata.schema import CONFIGS, ISSUES, REJECT_RULES, columns

from ..conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from docs_pages import gather


class Settings(yaml.SafeLoader):
    """Reads mkdocs.yml, whose tags name functions of Python."""


Settings.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)

SETTINGS: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader=Settings)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "pages"
    gather(folder)
    return folder


def named_in(menu: list[dict[str, Any]]) -> list[str]:
    found = []
    for entry in menu:
        for value in entry.values():
            found += [value] if isinstance(value, str) else named_in(value)
    return found


def test_the_menu_names_every_page_once(pages: Path) -> None:
    there = sorted(str(path.relative_to(pages)) for path in pages.rglob("*.md"))
    assert sorted(named_in(SETTINGS["nav"])) == there


def test_every_command_and_option_has_its_line(pages: Path) -> None:
    text = (pages / "reference" / "commands.md").read_text("utf-8")
    for name, command in cli.commands.items():
        part = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert f"newsdata {name}" in part
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts) if parameter.param_type_name == "option" else ():
                assert option in part, (name, option)


def test_every_public_name_is_asked_for(pages: Path) -> None:
    lines = (pages / "reference" / "python.md").read_text("utf-8").splitlines()
    assert {line for line in lines if line.startswith(":::")} == {f"::: newsdata.{name}" for name in newsdata.__all__}


def test_every_column_code_and_rule_has_its_row(pages: Path) -> None:
    text = (pages / "reference" / "columns.md").read_text("utf-8")
    for config in CONFIGS:
        part = text.partition(f"\n## {config}\n")[2].partition("\n## ")[0]
        assert [name for name in columns(config) if f"\n| `{name}` |" not in part] == [], config
    assert [name for name in (*ISSUES, *REJECT_RULES) if f"\n| `{name}` |" not in text] == []


def test_a_cell_never_ends_its_row(pages: Path) -> None:
    """A line end or a bare `|` in a help text or a meaning would break the table."""
    for path in (pages / "reference").glob("*.md"):
        widths = [
            line.replace("\\|", "").count("|") for line in path.read_text("utf-8").splitlines() if line.startswith("|")
        ]
        assert set(widths) <= {3, 4}, path.name


@pytest.mark.slow
def test_docstrings_are_fitted_to_the_site() -> None:
    griffe = pytest.importorskip("griffe")
    from docs_examples import Fitting, with_code_blocks, with_one_name_a_line

    assert with_code_blocks("One.\n\n>>> 1 + 1  # doctest: +SKIP\n2\n\nTwo.") == (
        "One.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nTwo."
    )
    assert with_one_name_a_line("Args:\n    a,\n        b: x\n        y.\n    c: z, w: v.") == (
        "Args:\n    a: x\n        y.\n    b: x\n        y.\n    c: z, w: v."
    )
    module = griffe.load("newsdata.schema", extensions=griffe.load_extensions(Fitting), search_paths=[ROOT])
    assert "```pycon\n>>> columns" in module["columns"].docstring.value


def test_the_site_asks_no_other_host(pages: Path) -> None:
    assert SETTINGS["theme"]["font"] is False
    assert SETTINGS["strict"] is True
    assert {"site_url", "repo_url", "extra_javascript"} & set(SETTINGS) == set()
    assert "analytics" not in SETTINGS["extra"]
    assert "://" not in "\n".join(path.read_text("utf-8") for path in (pages / "docs" / "assets").iterdir()).replace(
        "file://", ""
    )
