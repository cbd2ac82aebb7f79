"""The functions of all tasks, by stage: what a worker may be told to run, and nothing else."""

from __future__ import annotations

from ...graph.plan import Functions
from . import boilerplate, group, history, list, measure, merge, pairs, parse, sign, split, versions, write

__all__ = ["FUNCTIONS"]

_MODULES = (list, parse, merge, boilerplate, sign, pairs, group, split, write, history, measure)

FUNCTIONS: Functions = {
    versions.stage_of(kind): function for module in _MODULES for kind, function in module.TASKS.items()
}
"""Stage ("parse/3") -> the function of its tasks. `graph.plan` looks functions up here."""
