"""The version of each kind of task: every kind that a stage uses has one, and there are no others."""

from __future__ import annotations

import ast

import pytest

from newsdata.building.stages import versions
from newsdata.building.stages.versions import stage_of

from ...conftest import ROOT


def kinds_used() -> set[str]:
    """What `stage_of` is called with in the code of the stages."""
    found = set()
    for path in (ROOT / "newsdata" / "building").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "stage_of":
                (kind,) = node.args
                assert isinstance(kind, ast.Constant) and isinstance(kind.value, str), "a reader finds it by its name"
                found.add(kind.value)
    return found


def test_every_kind_of_task_has_a_version() -> None:
    assert kinds_used() == set(versions._VERSIONS)
    with pytest.raises(KeyError):
        stage_of("nothing")


def test_another_version_is_another_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    before = stage_of("parse")
    monkeypatch.setitem(versions._VERSIONS, "parse", 99)
    assert stage_of("parse") == "parse/99" != before
