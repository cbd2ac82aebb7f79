"""Everything installed that can change a byte of a version."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed

from .request import installed_tools

__all__ = ["shaping_tools"]

_SHAPING = ("opencc", "rensa", "xxhash")  # packages besides `installed_tools` that signatures depend on


def shaping_tools() -> dict[str, str]:
    """Name -> version of everything installed that can change a byte of a version. Every worker must have the same.

    >>> sorted(shaping_tools().items() >= installed_tools().items() for _ in range(1))
    [True]
    """
    python = ".".join(platform.python_version_tuple()[:2])
    return {**installed_tools(), **{name: installed(name) for name in _SHAPING}, "python": python}
