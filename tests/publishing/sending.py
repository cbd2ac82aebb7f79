"""How these tests publish, and what a repository then holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from newsdata.storage.manifest import hash_file

from ..hub_client import Client, Failed
from ..hub_server import Hub, Repo
from ..versions import MONTHS

__all__ = ["LATER", "SMALL", "WRITES", "files_in", "holds", "refused", "send"]

LATER = {**MONTHS, "newer": ("2022-02",)}
SMALL = {"README.md", "ledger.arrow", "manifest.json"}
WRITES = r"^(POST|PUT|DELETE) "


def files_in(folder: Path) -> dict[str, str]:
    """The hash of each file of a folder, by path."""
    return {p.relative_to(folder).as_posix(): hash_file(p)[1] for p in folder.rglob("*") if p.is_file()}


def holds(repo: Repo, commit: str) -> dict[str, str]:
    """Hashes of a commit's files, but the one that every repository has."""
    files = repo.commits[commit].files
    return {path: blob.sha256 for path, blob in files.items() if path != ".gitattributes"}


def send(client: Client, folder: Path, name: str, **options: Any) -> dict[str, Any]:
    """Publish to a repository, text included."""
    found = client("publishing.publish.publish", folder, name, full_text=True, **options)
    assert isinstance(found, dict)
    return found


def refused(hub: Hub, client: Client, folder: Path, name: str, **options: Any) -> Failed:
    """The error of publishing, which leaves the repository as it was."""

    def state() -> Any:
        repo = hub.repos.get(name)
        return repo and (dict(repo.tags), dict(repo.branches), len(repo.commits), repo.private)

    before = state()
    with pytest.raises(Failed) as caught:
        send(client, folder, name, **options)
    assert state() == before
    return caught.value
