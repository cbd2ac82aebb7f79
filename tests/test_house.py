"""The rules of the house: import order, exports, light start-up."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import newsdata

from .conftest import ROOT

PACKAGE = ROOT / "newsdata"

ORDER = [
    "errors", "schema", "sources", "parsing", "curation", "near_duplicates", "storage", "card", "graph", "building", "dataset", "maintenance",
    "publishing", "cli", "__main__",
]  # fmt: skip
"""A module (or the modules of a folder) may import what stands before it, and its own folder without a circle."""


def modules() -> list[tuple[str, Path]]:
    files = [p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py"]
    return [(".".join(p.relative_to(PACKAGE).with_suffix("").parts), p) for p in sorted(files)]


def imports_of(path: Path) -> set[str]:
    """The modules of this package that a module imports, inside functions too."""
    package = path.relative_to(PACKAGE).parent.parts
    names = {name for name, _ in modules()}
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            prefix = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            found |= {prefix} if prefix in names else {f"{prefix}.{a.name}".lstrip(".") for a in node.names}
    return found & names


@pytest.mark.parametrize(("name", "path"), modules(), ids=lambda value: str(value))
def test_imports_point_up_only(name: str, path: Path) -> None:
    layer = name.partition(".")[0]
    assert layer in ORDER, "give the new module its place in ORDER"
    above = ORDER[: ORDER.index(layer) + ("." in name)]
    assert {found for found in imports_of(path) if found.partition(".")[0] not in above} == set()


def test_no_import_goes_in_a_circle() -> None:
    graph = {name: imports_of(path) for name, path in modules()}
    assert list(TopologicalSorter(graph).static_order())


def test_every_module_says_what_it_exports() -> None:
    for name, path in modules():
        if name != "__main__":
            assert "__all__" in path.read_text("utf-8"), name


def test_public_names() -> None:
    assert newsdata.__all__ == sorted(newsdata.__all__)
    for name in newsdata.__all__:
        assert getattr(newsdata, name).__doc__, name
    assert set(newsdata.__all__) <= set(dir(newsdata))
    with pytest.raises(AttributeError):
        newsdata.nothing  # noqa: B018


@pytest.mark.parametrize("code", ["import newsdata", "import newsdata.cli.main"])
def test_start_up_is_light(code: str) -> None:
    heavy = "datasets", "pyarrow", "pandas", "numpy", "sklearn", "ray", "huggingface_hub", "loky", "turbohtml"
    check = f"{code}, sys; print(*(m for m in {heavy!r} if m in sys.modules))"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_every_command_has_help() -> None:
    from newsdata.cli.main import cli

    for name, command in cli.commands.items():
        assert command.help, name
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or getattr(parameter, "help", None), (name, parameter.name)
