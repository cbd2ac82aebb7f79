"""Gather the pages of the documentation site in a folder; `make docs` then makes the site of them.

The folder is laid out like the repository, so that links between README.md and docs/ hold on the site as they do on a code
host. Three pages of reference are written here from the code itself: the commands, the Python functions and the columns.
"""

from __future__ import annotations

import argparse
import html
import shutil
from collections.abc import Iterator
from pathlib import Path

import click

import newsdata
from newsdata.card.sections import CONFIG_MEANING
from newsdata.cli.main import cli
from newsdata.schema import CONFIGS, ISSUES, REJECT_RULES, columns, table_schema

__all__ = ["gather"]

ROOT = Path(__file__).resolve().parent.parent

_WITH_THE_DOCS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE")


def gather(target: Path) -> None:
    """Write all pages to `target`, which is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "docs", target / "docs")
    for name in _WITH_THE_DOCS:
        shutil.copyfile(ROOT / name, target / name)
    reference = target / "reference"
    reference.mkdir()
    for name, lines in (("commands", commands_page()), ("python", python_page()), ("columns", columns_page())):
        (reference / f"{name}.md").write_text("\n".join(lines) + "\n", "utf-8")


def commands_page() -> Iterator[str]:
    """Every command with its arguments and options, as click knows them."""
    yield "# Commands\n"
    yield "The same as `newsdata COMMAND --help`. Exit codes: 0 good, 1 the data is at fault, 2 the call or the machine"
    yield "is, 130 stopped.\n"
    parent = click.Context(cli, info_name="newsdata", **cli.context_settings)
    for name, command in cli.commands.items():
        context = click.Context(command, info_name=name, parent=parent)
        yield f"## {name}\n"
        yield f"```text\n{' '.join(command.get_usage(context).split()).removeprefix('Usage: ')}\n```\n"
        yield f"{_plain(command.help or '')}\n"
        yield "| option | does |\n|---|---|"
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record and isinstance(parameter, click.Option):
                yield f"| {_code(record[0])} | {_cell(_plain(record[1]))} |"
        yield ""


def python_page() -> Iterator[str]:
    """The public names; mkdocstrings puts the docstring of each one in the place of its line."""
    yield "# Python\n"
    yield "The public names of `newsdata`. Every example is run by the tests.\n"
    for name in sorted(newsdata.__all__, key=lambda one: (one[0].isupper(), one)):
        yield f"::: newsdata.{name}\n"


def columns_page() -> Iterator[str]:
    """The columns of every config, the codes of issues and the rules of rejects, with their meanings."""
    yield "# Columns\n"
    yield "The configs of a version and their columns. The card of a version also says how often each column is filled."
    yield "Offsets count Unicode code points; times are instants, shown in the zone of the site.\n"
    for config in CONFIGS:
        yield f"## {config}\n"
        yield f"{CONFIG_MEANING[config].capitalize()}.\n"
        yield "| column | type | meaning |\n|---|---|---|"
        types = {field.name: str(field.type).replace("<item: ", "<") for field in table_schema(config, "ZONE")}
        for name, meaning in columns(config).items():
            yield f"| `{name}` | {_code(types[name])} | {_cell(meaning)} |"
        yield ""
    yield "## Issues\n"
    yield "The codes that the column `issues` may hold.\n"
    yield from _meanings("code", ISSUES)
    yield "\n## Rules of rejects\n"
    yield from _meanings("rule", REJECT_RULES)


def _meanings(head: str, table: object) -> Iterator[str]:
    assert isinstance(table, dict)
    yield f"| {head} | meaning |\n|---|---|"
    for name, meaning in table.items():
        yield f"| `{name}` | {_cell(meaning)} |"


def _plain(text: str) -> str:
    """A help text as Markdown: its words are no markup, and its paragraphs stay apart."""
    paragraphs = [" ".join(part.split()) for part in text.replace("\b", "").split("\n\n")]
    return "\n\n".join(paragraphs).replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def _code(text: str) -> str:
    """Code in a cell. A `|` in it is written as an entity: Markdown flavours differ in how they escape it."""
    return f"<code>{html.escape(text).replace('|', '&#124;')}</code>"


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path, help="the folder that is written, and emptied first")
    gather(parser.parse_args().target)
