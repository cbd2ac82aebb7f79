"""Package an archive of Jekyll news posts as a versioned, leak-free research dataset.

>>> import newsdata
>>> newsdata.parse_post  # doctest: +ELLIPSIS
<function parse_post at ...>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .builder import Build, build
    from .errors import NewsdataError
    from .loader import diff, duplicates, info, load_dataset, load_pandas, where
    from .publisher import publish
    from .reading.parse import parse_post
    from .rehydrator import rehydrate
    from .schema import Mention, Post, RawPost, Reject
    from .verifier import verify
    from .versions import prune, redact, yank

__all__ = [
    "Build",
    "Mention",
    "NewsdataError",
    "Post",
    "RawPost",
    "Reject",
    "build",
    "diff",
    "duplicates",
    "info",
    "load_dataset",
    "load_pandas",
    "parse_post",
    "prune",
    "publish",
    "redact",
    "rehydrate",
    "verify",
    "where",
    "yank",
]

_HOME = {
    "Build": "builder",
    "Mention": "schema",
    "NewsdataError": "errors",
    "Post": "schema",
    "RawPost": "schema",
    "Reject": "schema",
    "build": "builder",
    "diff": "loader",
    "duplicates": "loader",
    "info": "loader",
    "load_dataset": "loader",
    "load_pandas": "loader",
    "parse_post": "reading.parse",
    "prune": "versions",
    "publish": "publisher",
    "redact": "versions",
    "rehydrate": "rehydrator",
    "verify": "verifier",
    "where": "loader",
    "yank": "versions",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import newsdata` costs next to nothing."""
    if name == "__version__":
        from importlib.metadata import version

        return version("newsdata")
    if name not in _HOME:
        raise AttributeError(f"module 'newsdata' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
