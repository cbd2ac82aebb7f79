"""What the hub of these tests holds, and how its clients fetch it."""

from __future__ import annotations

from pathlib import Path

from ..hub_client import Client
from ..hub_server import Hub
from ..hub_state import Blob, Commit, small_blob

__all__ = ["NAME", "TEST", "VERSIONS", "fetch", "put", "spoil"]

NAME = "lab/finews"
TEST = "articles/test-2022-01-0000000.parquet"
VERSIONS = ("1.0.0", "1.9.0", "1.10.0", "2.0.0")


def put(hub: Hub, name: str, folder: Path, tag: str | None = None) -> Commit:
    """Let the hub hold a version, without a client."""
    repo = hub.repos.get(name) or hub.create(name)
    files = {".gitattributes": repo.head.files[".gitattributes"]}
    for path in (p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        blob = small_blob(data)
        if path.suffix in (".parquet", ".arrow"):
            hub.object(blob.sha256).write_bytes(data)
            blob = Blob(blob.size, blob.sha256, None)
        files[path.relative_to(folder).as_posix()] = blob
    commit = repo.add_commit(f"Version {folder.name}", files)
    repo.tags[tag or f"v{folder.name}"] = commit.id
    return commit


def fetch(client: Client, name: str, revision: str | None, *patterns: str) -> Path:
    """Resolve a revision and fetch the files that match the patterns."""
    found = client("dataset.hub_revisions.resolve", name, revision)
    return Path(client("dataset.hub_files.fetch", found, patterns))


def spoil(path: Path) -> None:
    """Change the last byte of a file, or of the file that a link leads to."""
    file = path.resolve()
    file.write_bytes(file.read_bytes()[:-1] + b"?")
