"""Git: a commit gives the same files as its work tree, nothing of the repository is run, and damage is reported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsdata.errors import SourceError
from newsdata.schema import Reject
from newsdata.sources.source import list_files, open_source, read_file, read_files

from ..source_files import SITE, Opened, git, git_of, write


def test_a_commit_gives_the_same_files_as_its_work_tree(tmp_path: Path) -> None:
    work = git_of(tmp_path / "a@b", SITE)
    git(tmp_path, "clone", "-q", "--bare", str(work), "bare.git")
    commit = git(work, "rev-parse", "HEAD")
    for spec in (tmp_path / "bare.git", f"{tmp_path}/bare.git@main", f"{work}@HEAD", f"{work}@HEAD@{{0}}"):
        found = Opened(spec, tmp_path / "scratch")
        assert found.read == SITE and found.rules == []
        assert found.listing.commit == commit
        assert read_file(found.source, "_config.yml") == SITE["_config.yml"]
        assert read_file(found.source, "_posts") is read_file(found.source, "no") is None
    folder = Opened(work, tmp_path / "scratch")
    assert folder.read == SITE and folder.listing.commit is None


def test_a_sub_folder_and_an_older_revision(tmp_path: Path) -> None:
    work = git_of(tmp_path / "repo", {"site/中/_posts/a.md": b"old", "other.md": b"no"})
    git(work, "tag", "v1")
    write(work, {"site/中/_posts/a.md": b"new"})
    git(work, "commit", "-q", "-am", "two")
    assert Opened(f"{work}@v1:site/中/", tmp_path).read == {"_posts/a.md": b"old"}
    assert Opened(f"{work}@main:site", tmp_path).read == {"中/_posts/a.md": b"new"}
    for bad in ("no", "v1:no", "v1:other.md", "", "-v", "--upload-pack=x", "v1:../x"):
        with pytest.raises(SourceError):
            open_source(f"{work}@{bad}", scratch=tmp_path)


def test_links_and_submodules_are_rejected(tmp_path: Path) -> None:
    work = git_of(tmp_path / "repo", {"_posts/a.md": b"a"})
    (work / "_posts/link.md").symlink_to("/etc/passwd")
    (work / "_config.yml").symlink_to("_posts/a.md")
    git(work, "add", "-A")
    commit = git(work, "rev-parse", "HEAD")
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{commit},theme")
    git(work, "commit", "-q", "-m", "two")
    found = Opened(f"{work}@HEAD", tmp_path)
    assert found.read == {"_posts/a.md": b"a"}
    assert found.rules == [(path, "not-a-file") for path in ("_config.yml", "_posts/link.md", "theme")]
    assert found.listing.folders == {path for path, _ in found.rules}
    assert (
        found.listing.rejects[-1].reason
        == "this is a submodule, a link to another repository, and links are not followed"
    )
    assert found.listing.notes == ("submodules left out: 1",)
    with pytest.raises(SourceError, match="links are not followed"):
        read_file(found.source, "_config.yml")


def test_hostile_names(tmp_path: Path) -> None:
    work = git_of(tmp_path / "repo", {"a.md": b"a"})
    blob = git(work, "hash-object", "-w", "a.md")
    entry = bytes.fromhex(blob)
    raw = b"".join(b"100644 " + name + b"\0" + entry for name in (b"..", b".git", b"a.md", b"a.md", b"\xff.md"))
    tree = git(work, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=raw)
    commit = git(work, "commit-tree", tree, "-m", "hostile")
    found = Opened(f"{work}@{commit}", tmp_path)
    assert found.read == {"a.md": b"a"}
    assert found.rules == [("..", "path-unsafe"), ("\\xff.md", "path-not-utf-8"), ("a.md", "path-taken")]


def test_nothing_of_the_repository_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = git_of(tmp_path / "repo", {"a.md": b"real\n", ".gitattributes": b"* filter=f diff=d text eol=crlf\n"})
    write(work, {"evil.md": b"evil\n"})
    git(work, "replace", git(work, "rev-parse", "HEAD:a.md"), git(work, "hash-object", "-w", "evil.md"))
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "filter.f.smudge", "filter.f.clean",
        "pager.ls-tree", "diff.d.textconv", "alias.ls-tree", "alias.cat-file", "core.alternateRefsCommand",
    ):  # fmt: skip
        git(work, "config", key, str(trap))
    git(work, "config", "core.hooksPath", str(tmp_path))
    (tmp_path / "post-checkout").symlink_to(trap)
    # Replaced objects and settings of the caller must have no effect either.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_PAGER", str(trap))
    found = Opened(f"{work}@main", tmp_path)
    assert found.read["a.md"] == b"real\n"
    assert not (tmp_path / "sprung").exists()


def test_a_partial_clone_does_not_ask_its_remote(tmp_path: Path) -> None:
    work = git_of(tmp_path / "repo", {"a.md": b"a", "b.md": b"b"})
    git(work, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", work.as_uri(), "partial.git")
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\ntouch {tmp_path}/sprung\nexec git-upload-pack "$@"\n')
    trap.chmod(0o755)
    git(tmp_path / "partial.git", "config", "remote.origin.uploadpack", str(trap))
    git(tmp_path / "partial.git", "config", "protocol.file.allow", "always")
    with pytest.raises(SourceError, match="partial clone"):
        Opened(tmp_path / "partial.git", tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_a_damaged_object_loses_only_its_own_file(tmp_path: Path) -> None:
    files = {f"{number}.md": os.urandom(3000) for number in range(5)}
    work = git_of(tmp_path / "repo", files)
    source = open_source(f"{work}@HEAD", scratch=tmp_path)
    listing = list_files(source)
    blobs = {file.path: file.stamp.removeprefix("git:") for file in listing.files}
    for number, damage in ((1, "cut"), (3, "gone")):
        blob = blobs[f"{number}.md"]
        loose = work / ".git/objects" / blob[:2] / blob[2:]
        data = loose.read_bytes()
        loose.unlink()
        if damage == "cut":
            loose.write_bytes(data[: len(data) // 2])
    read = {file.path: data for file, data in read_files(source, listing.files)}
    assert {path for path, data in read.items() if isinstance(data, Reject)} == {"1.md", "3.md"}
    assert {path: data for path, data in read.items() if isinstance(data, bytes)} == {
        path: files[path] for path in ("0.md", "2.md", "4.md")
    }


def test_a_missing_git_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = git_of(tmp_path / "repo", {"a.md": b"a"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="git is not installed"):
        open_source(f"{work}@HEAD", scratch=tmp_path)


def test_a_repository_of_another_owner_is_read(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    work = git_of(tmp_path / "repo", {"a.md": b"a"})
    for path in (work, *work.rglob("*")):
        os.chown(path, 12345, 12345)
    assert Opened(f"{work}@HEAD", tmp_path).read == {"a.md": b"a"}
