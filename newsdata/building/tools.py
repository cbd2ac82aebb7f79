"""Everything installed that can change a byte of a version."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib.metadata import version as installed
from pathlib import Path

from .request import installed_tools

__all__ = ["digest_code", "shaping_tools"]

_SHAPING = ("opencc", "rensa", "xxhash")  # packages besides `installed_tools` that signatures depend on


_PACKAGE = Path(__file__).parents[1]


def shaping_tools() -> dict[str, str]:
    """Name -> version of everything installed that can change a byte of a version. Every worker must have the same.

    Two installations of newsdata may have one version number and other code, so a digest of the code is among them. Nothing
    of this is part of a key or a manifest.

    >>> shaping_tools().items() >= installed_tools().items()
    True
    """
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        **installed_tools(),
        **{name: installed(name) for name in _SHAPING},
        "python": python,
        "code of newsdata": digest_code(_PACKAGE),
    }


@functools.cache
def digest_code(package: Path) -> str:
    """A digest of all Python files of a package, by name and content: 12 hexadecimal digits. A process computes it once."""
    digest = hashlib.sha256()
    for name in sorted(path.relative_to(package).as_posix() for path in package.rglob("*.py")):
        content = (package / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]
