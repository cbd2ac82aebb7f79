"""Package an archive of Jekyll news posts as a versioned, leak-free research dataset.

>>> import newsdata
>>> newsdata.parse_post  # doctest: +ELLIPSIS
<function parse_post at ...>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .building.build import Build, build
    from .dataset.bio import BioLabels, bio_labels, bio_spans
    from .dataset.describe import diff, info
    from .dataset.duplicates import duplicates
    from .dataset.labels import class_labels, multi_hot
    from .dataset.load import load_dataset, load_pandas
    from .dataset.mentions import load_mentions
    from .dataset.panel import load_panel
    from .dataset.publisher_names import publisher_name
    from .dataset.sessions import sessions
    from .dataset.show import show
    from .dataset.torch_dataset import TorchDataset, torch_dataset
    from .dataset.where import where
    from .errors import NewsdataError
    from .maintenance.prune import prune
    from .maintenance.rehydrate import rehydrate
    from .maintenance.verify import verify
    from .parsing.post import parse_post
    from .publishing.publish import publish
    from .publishing.redact import redact
    from .publishing.tag import tag_version
    from .publishing.yank import yank
    from .schema import Mention, Post, RawPost, Reject

__all__ = [
    "BioLabels",
    "Build",
    "Mention",
    "NewsdataError",
    "Post",
    "RawPost",
    "Reject",
    "TorchDataset",
    "bio_labels",
    "bio_spans",
    "build",
    "class_labels",
    "diff",
    "duplicates",
    "info",
    "load_dataset",
    "load_mentions",
    "load_pandas",
    "load_panel",
    "multi_hot",
    "parse_post",
    "prune",
    "publish",
    "publisher_name",
    "redact",
    "rehydrate",
    "sessions",
    "show",
    "tag_version",
    "torch_dataset",
    "verify",
    "where",
    "yank",
]

_HOME = {
    "BioLabels": "dataset.bio",
    "Build": "building.build",
    "Mention": "schema",
    "NewsdataError": "errors",
    "Post": "schema",
    "RawPost": "schema",
    "Reject": "schema",
    "TorchDataset": "dataset.torch_dataset",
    "bio_labels": "dataset.bio",
    "bio_spans": "dataset.bio",
    "build": "building.build",
    "class_labels": "dataset.labels",
    "diff": "dataset.describe",
    "duplicates": "dataset.duplicates",
    "info": "dataset.describe",
    "load_dataset": "dataset.load",
    "load_mentions": "dataset.mentions",
    "load_pandas": "dataset.load",
    "load_panel": "dataset.panel",
    "multi_hot": "dataset.labels",
    "parse_post": "parsing.post",
    "prune": "maintenance.prune",
    "publish": "publishing.publish",
    "publisher_name": "dataset.publisher_names",
    "redact": "publishing.redact",
    "rehydrate": "maintenance.rehydrate",
    "sessions": "dataset.sessions",
    "show": "dataset.show",
    "tag_version": "publishing.tag",
    "torch_dataset": "dataset.torch_dataset",
    "verify": "maintenance.verify",
    "where": "dataset.where",
    "yank": "publishing.yank",
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
