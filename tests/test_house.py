"""The rules of the house: import order, what a room never imports, sizes, no hidden state, exports, light start-up."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import newsdata

from .conftest import ROOT

PACKAGE = ROOT / "newsdata"

ORDER = [
    "errors", "counts", "files", "arrow_files", "objects_names", "objects_errors", "objects_client",
    "objects_folder", "objects_bucket", "objects", "tables", "schema", "sources", "parsing", "curation", "near_duplicates", "storage", "card",
    "graph", "building", "dataset", "maintenance", "publishing", "explorer", "cli", "__main__",
]  # fmt: skip
"""A room may import what stands before it, and itself without a circle."""

NEVER = {
    "sources": {"parsing"},
    "parsing": {"sources", "storage", "building"},
    "curation": {"storage", "graph"},
    "near_duplicates": {"storage", "graph"},
    "storage": {"card", "building"},
    "graph": set(ORDER) - {"errors", "files", "objects", "graph"},
    "dataset": {"building"},
    "publishing": {"building"},
    "explorer": {"building", "maintenance", "publishing"},
}
"""What a room never imports, by name."""

LINES, PARAMETERS, MODULE_LINES = 60, 6, 450

LONG_FUNCTIONS: dict[str, str] = {}
"""Functions that may be longer, or take more, and why; at most five."""
LONG_MODULES: dict[str, str] = {}


@cache
def modules() -> list[tuple[str, Path]]:
    files = [p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py"]
    return [(".".join(p.relative_to(PACKAGE).with_suffix("").parts), p) for p in sorted(files)]


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a module's code, the module itself first."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


def room_of(name: str) -> str:
    return name.partition(".")[0]


@cache
def imports_of(path: Path) -> set[str]:
    """The modules of this package that a module imports, inside functions too."""
    package = path.relative_to(PACKAGE).parent.parts
    names = {name for name, _ in modules()}
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            prefix = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            found |= {prefix} if prefix in names else {f"{prefix}.{a.name}".lstrip(".") for a in node.names}
    return found & names


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


# ------------------------------------------------------------------------------------------------------ imports


@pytest.mark.parametrize(("name", "path"), modules(), ids=lambda value: str(value))
def test_imports_point_up_only(name: str, path: Path) -> None:
    assert room_of(name) in ORDER, "give the new room its place in ORDER"
    above = ORDER[: ORDER.index(room_of(name)) + ("." in name)]
    assert {found for found in imports_of(path) if room_of(found) not in above} == set()


@pytest.mark.parametrize("room", NEVER)
def test_what_a_room_never_imports(room: str) -> None:
    own = {name: {room_of(found) for found in imports_of(path)} for name, path in modules() if room_of(name) == room}
    assert own, "the room has modules"
    assert {name: rooms & NEVER[room] for name, rooms in own.items() if rooms & NEVER[room]} == {}


@pytest.mark.slow
def test_no_import_goes_in_a_circle() -> None:
    graph = {name: imports_of(path) for name, path in modules()}
    assert list(TopologicalSorter(graph).static_order())


def test_no_folder_takes_the_place_of_a_public_function() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert folders & set(newsdata.__all__) == set()


def test_no_module_is_named_in_a_string() -> None:
    """The lazy exports of `newsdata/__init__.py` are the only ones."""
    found = [
        (name, ast.unparse(node))
        for name, path in modules()
        for node in nodes_of(path)
        if (isinstance(node, ast.Name) and node.id in ("import_module", "__import__"))
        or (isinstance(node, ast.Attribute) and node.attr == "import_module")
    ]
    assert found == []


# -------------------------------------------------------------------------------------------------------- sizes


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring and decorators."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and ast.get_docstring(function)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many things a function takes; those of public functions that can only be named, and of commands, do not count."""
    arguments = function.args
    if any("command" in ast.unparse(decorator) for decorator in function.decorator_list):
        return 0
    positional = [one.arg for one in (*arguments.posonlyargs, *arguments.args) if one.arg not in ("self", "cls")]
    return len(positional) + (len(arguments.kwonlyargs) if function.name.startswith("_") else 0)


@pytest.mark.parametrize(("name", "path"), modules(), ids=lambda value: str(value))
def test_a_function_fits_a_screen_and_takes_few_things(name: str, path: Path) -> None:
    large = {
        f"{name}.{function.name}": (lines_of(function), parameters_of(function))
        for function in functions_of(path)
        if lines_of(function) > LINES or parameters_of(function) > PARAMETERS
    }
    assert {key: size for key, size in large.items() if key not in LONG_FUNCTIONS} == {}


def test_there_are_few_exceptions_and_all_are_needed() -> None:
    assert len(LONG_FUNCTIONS) <= 5
    large = {
        f"{name}.{function.name}"
        for name, path in modules()
        for function in functions_of(path)
        if lines_of(function) > LINES or parameters_of(function) > PARAMETERS
    }
    assert large == set(LONG_FUNCTIONS)


def test_modules_are_small() -> None:
    large = {name for name, path in modules() if len(path.read_text("utf-8").splitlines()) > MODULE_LINES}
    assert large <= set(LONG_MODULES)


def test_the_main_line_of_a_build_fits_one_screen() -> None:
    path = PACKAGE / "building" / "build.py"
    sizes = {function.name: lines_of(function) for function in functions_of(path)}
    assert sizes["build"] + sizes["make_version"] <= 100
    assert sizes["make_version"] <= 60


# -------------------------------------------------------------------------------------------------------- state


@pytest.mark.slow
def test_no_module_carries_state_from_one_call_to_another() -> None:
    """No `global`, and no list, dict or set of a module that a function changes."""
    found = []
    for name, path in modules():
        tree = nodes_of(path)[0]
        assert isinstance(tree, ast.Module)
        found += [(name, node.lineno) for node in nodes_of(path) if isinstance(node, ast.Global)]
        held = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        found += [(name, line) for line in _changes(path, held)]
    assert found == []


_CHANGING = {
    "append",
    "add",
    "update",
    "pop",
    "setdefault",
    "extend",
    "clear",
    "remove",
    "popitem",
    "insert",
    "discard",
}


def _changes(path: Path, held: set[str]) -> Iterator[int]:
    for function in functions_of(path):
        inside = tuple(ast.walk(function))
        own = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        own |= {node.arg for node in inside if isinstance(node, ast.arg)}
        for node in inside:
            target: ast.expr | None = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
                target = node.func.value
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
                target = node.value
            if isinstance(target, ast.Name) and target.id in held - own:
                yield target.lineno


# ------------------------------------------------------------------------------------------------------ exports


def test_every_module_says_what_it_exports() -> None:
    for name, path in modules():
        if name != "__main__":
            assert "__all__" in path.read_text("utf-8"), name


def test_every_room_says_what_it_is_for() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_public_names() -> None:
    assert newsdata.__all__ == sorted(newsdata.__all__)
    for name in newsdata.__all__:
        assert getattr(newsdata, name).__doc__, name
    assert set(newsdata.__all__) <= set(dir(newsdata))
    with pytest.raises(AttributeError):
        newsdata.nothing  # noqa: B018


# ----------------------------------------------------------------------------------------------------- start-up


@pytest.mark.parametrize("code", ["import newsdata", "import newsdata.cli.main"])
def test_start_up_is_light(code: str) -> None:
    heavy = (
        "datasets", "pyarrow", "pandas", "numpy", "sklearn", "ray", "huggingface_hub", "loky", "turbohtml", "polars",
        "starlette", "jinja2", "torch", "obstore",
    )  # fmt: skip
    check = f"{code}, sys; print(*(m for m in {heavy!r} if m in sys.modules))"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_every_command_has_help() -> None:
    from newsdata.cli.main import cli

    for name, command in cli.commands.items():
        assert command.help, name
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or getattr(parameter, "help", None), (name, parameter.name)


# ----------------------------------------------------------------------------------------------------- versions


def test_the_floors_that_are_tested_are_those_of_the_package() -> None:
    root = PACKAGE.parent
    wanted = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    lines = (root / "constraints-floors.txt").read_text("utf-8").splitlines()
    tested = dict(line.split("==") for line in lines if "==" in line)
    for one in wanted:
        name, _, lowest = one.partition(">=")
        version = tested[name.partition("[")[0]]
        assert version.removeprefix(lowest).strip(".0") == "", one
