"""Sources to read, made by the tests: folders, archives and repositories."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from newsdata.errors import SourceError
from newsdata.schema import REJECT_RULES
from newsdata.sources.folder_walk import MAX_FILE_BYTES
from newsdata.sources.source import Listing, Source, list_files, open_source, read_files

SITE = {
    "_config.yml": b"timezone: Asia/Shanghai\n",
    "_posts/2022-03-01-202203010000000001.md": "---\ntitle: 早盘\n---\n<p>开局平稳。</p>\n".encode(),
    "_posts/2022-03-02-空.md": b"",
    "_posts/a\nb.md": b"a line feed in the name",
    "_posts/" + "长" * 84 + ".md": b"a name of 255 bytes",
    "old_post/x/2022-03-01-[1]*?.md": b"\x00\xff" * 700,
    "z.md": b"0" * 512,
}


def write(root: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def strange_folder(root: Path) -> Path:
    """A folder with odd names, and with everything that cannot be taken."""
    write(
        root, {"_posts/a.md": b"a", "_posts/新闻.md": b"b", "_posts/n\nn.md": b"c", "out/x.md": b"d", ".git/HEAD": b"e"}
    )
    (root / os.fsdecode(b"\xff.md")).write_bytes(b"")
    (root / "link.md").symlink_to("_posts/a.md")
    os.mkfifo(root / "pipe.md")
    with (root / "large.md").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    return root


def tar_of(files: dict[str, bytes], top: str = "", format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for path, data in files.items():
            member = tarfile.TarInfo(top + path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def tar_with(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def zip_of(files: dict[str, bytes], top: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(top + path, data)
    return out.getvalue()


def git(folder: Path, *arguments: str, given: bytes = b"") -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", "-C", str(folder), *arguments],
        check=True,
        input=given,
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout.decode().strip()


def git_of(folder: Path, files: dict[str, bytes]) -> Path:
    write(folder, files)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    return folder


class Opened:
    """A source, its listing and all its bytes."""

    def __init__(self, spec: str | Path, scratch: Path, exclude: Path | None = None) -> None:
        self.source: Source = pickle.loads(pickle.dumps(open_source(spec, scratch=scratch, exclude=exclude)))
        self.listing: Listing = list_files(self.source)
        assert {reject.rule for reject in self.listing.rejects} <= set(REJECT_RULES)
        assert list(self.listing.files) == sorted(self.listing.files, key=lambda file: file.path)
        self.read = {file.path: data for file, data in read_files(self.source, self.listing.files)}
        self.rules = [(reject.path, reject.rule) for reject in self.listing.rejects]


def opened_archive(tmp_path: Path, data: bytes) -> Opened:
    (tmp_path / "archive").write_bytes(data)
    return Opened(tmp_path / "archive", tmp_path / "scratch")


def refused(unpack: Callable[[bytes], Opened], data: bytes, match: str, tmp_path: Path) -> SourceError:
    scratch = tmp_path / "scratch"
    before = set(scratch.iterdir()) if scratch.exists() else set()
    with pytest.raises(SourceError, match=match) as caught:
        unpack(data)
    assert set(scratch.iterdir()) == before
    return caught.value


def zstd(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard")
    packed: bytes = zstandard.compress(data)
    return packed
