"""Everything installed that can change a byte of a version."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib.metadata import version as installed
from pathlib import Path

__all__ = ["digest_code", "installed_tools", "shaping_tools"]

_TOOLS = (
    "newsdata",
    "pyarrow",
    "numpy",
    "turbohtml",
    "markdown-it-py",
    "python-frontmatter",
    "PyYAML",
    "tzdata",
    "chardet",
)
_SIGNING = ("opencc", "rensa", "xxhash")  # packages that signatures depend on
_PACKAGE = Path(__file__).parents[1]


def installed_tools() -> dict[str, str]:
    """Name -> installed version of the packages that can change the bytes of a version. The manifest holds them.

    >>> "pyarrow" in installed_tools()
    True
    """
    return {name: installed(name) for name in _TOOLS}


def shaping_tools() -> dict[str, str]:
    """Name -> version of everything that must be the same on every host of a build.

    These are `installed_tools`, the packages of signatures, the version of Python, and a digest of the code of newsdata,
    because two installations may have one version number and other code. Keys and manifests hold `installed_tools` only.

    >>> shaping_tools().items() >= installed_tools().items()
    True
    """
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        **installed_tools(),
        **{name: installed(name) for name in _SIGNING},
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
