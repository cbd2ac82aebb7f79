"""Which files of a listing are posts, and under which ids."""

from __future__ import annotations

import errno
import tarfile
from pathlib import Path

import pytest

import newsdata
from newsdata.building.base import Base, follow
from newsdata.building.posts_found import OTHER_POSTS, find_posts
from newsdata.building.request import Request
from newsdata.errors import RejectsError, SourceError
from newsdata.parsing.site import read_site
from newsdata.sources.folder_walk import FolderOpener
from newsdata.sources.source import list_files, open_source
from newsdata.storage.ledger import empty_ledger

from ..conftest import many_posts, post, write_archive
from ..source_files import git, git_of, tar_of, tar_with

CONFIG = b"timezone: Asia/Shanghai\n"


def no_base(redacted: dict[str, str] | None = None) -> Base:
    return Base(
        folder=None, manifest=None, ledger=empty_ledger(), redacted=redacted or {}, versions=(), newer=None
    )  # fmt: skip


def test_every_file_has_its_place(tmp_path: Path) -> None:
    names = [
        "_posts/2022-03-01-a.md",
        "_posts/2022-03-01-a.html",
        "_posts/2022-02-01-b.md",
        "_posts/c.md",
        "_posts/d.png",
        "e.md",
    ]
    write_archive(tmp_path / "in", dict.fromkeys(names, b"x"))
    (tmp_path / "in" / "_posts" / "link.md").symlink_to("c.md")
    listing = list_files(open_source(tmp_path / "in", scratch=tmp_path))
    request, site = Request(source=tmp_path / "in", out=tmp_path / "out"), read_site(CONFIG)[0]
    found = find_posts(listing, site, no_base(), request)
    assert [(shard.path, [file.path for file in shard.files]) for shard in found.plan] == [
        ("posts/posts-undated-0000000.parquet", ["_posts/c.md"]),
        ("posts/posts-2022-02-0000000.parquet", ["_posts/2022-02-01-b.md"]),
        ("posts/posts-2022-03-0000000.parquet", ["_posts/2022-03-01-a.html", "_posts/2022-03-01-a.md"]),
    ]
    assert found.files.path.to_pylist() == [file.path for shard in found.plan for file in shard.files]
    assert found.own_ids == {"_posts/2022-03-01-a.html": "_posts/2022-03-01-a.html"}
    assert [reject.path for reject in found.rejects] == ["_posts/link.md"]
    assert found.ignored == {"not text": 1, "not below _posts": 1, "configuration": 1}
    fewer = find_posts(listing, site, no_base({"_posts/c": "a request"}), request)
    assert fewer.ignored["redacted"] == 1 and len(fewer.files) == 3


def test_a_name_that_leads_out_is_a_reject_wherever_it_would_lead(tmp_path: Path) -> None:
    outside = ("../a.txt", "../_posts/b.md", "_posts/../../c.md", "/etc/passwd")
    (tmp_path / "a.tar").write_bytes(tar_of({**many_posts(3), **dict.fromkeys(outside, b"x")}))
    made = newsdata.build(tmp_path / "a.tar", tmp_path / "out", num_proc=1)
    assert [(reject.path, reject.rule) for reject in made.rejects] == [(n, "path-unsafe") for n in sorted(outside)]


def test_a_version_that_is_built_again_has_the_posts_that_it_names(tmp_path: Path) -> None:
    files = many_posts(2, per_day=2) | {"_posts/2022-03-01-bad.md": b"", "_posts/2022-03-01-a.md": b"x"}
    archive = write_archive(tmp_path / "in", files)
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    write_archive(archive, {"_posts/2022-03-01-a.html": b"y", "_posts/2022-03-05-new.md": b"z", "about.md": b"w"})
    listing = list_files(open_source(archive, scratch=tmp_path))
    request = Request(source=archive, out=tmp_path / "again", again=True)
    found = find_posts(listing, read_site(CONFIG)[0], follow(tmp_path / "out", None, again=True), request)
    assert sorted(found.files.path.to_pylist()) == sorted(files)
    assert found.ignored == {OTHER_POSTS: 2, "configuration": 1, "not below _posts": 1}
    assert found.own_ids["_posts/2022-03-01-a.md"] == "_posts/2022-03-01-a", "as the version says"


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    write_archive(tmp_path / "in", {"a.md": b"x", "b/c.md": b"y"}, timezone=None)
    listing = list_files(open_source(tmp_path / "in", scratch=tmp_path))
    request = Request(source=tmp_path / "in", out=tmp_path / "out")
    with pytest.raises(SourceError, match=r"no file in it is a post \(2 files in no folder `_posts`\)"):
        find_posts(listing, read_site(None)[0], no_base(), request)


# ------------------------------------------------------------------------------------------- folders that are shut


def shut(monkeypatch: pytest.MonkeyPatch, *folders: str) -> None:
    """The folders whose rights forbid to read them; as root, a test cannot take them away."""
    real = FolderOpener.open

    def open_folder(opener: FolderOpener, path: bytes) -> int:
        if path.decode() in folders:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(opener, path)

    monkeypatch.setattr(FolderOpener, "open", open_folder)


def test_a_folder_that_is_not_read_is_a_reject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = write_archive(tmp_path / "other", {"2022-03-09-a.md": post()}, timezone=None)
    archive = write_archive(tmp_path / "in", many_posts(3) | {f"_posts/{name}/a.md": post() for name in "xy"})
    write_archive(archive, {"blog/about.md": b"x", "blog/_posts/2022-03-02-b.md": post(), "_site/a.md": b"x"})
    for link in ("_posts/linked", "_posts/.#lock", "_posts/picture.png", "assets"):
        (archive / link).symlink_to(other)
    shut(monkeypatch, "_posts/y", "blog", "_site")
    made = newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert [(reject.path, reject.rule, reject.reason) for reject in made.rejects] == [
        ("_posts/linked", "not-a-file", "this is a link, and links are not followed"),
        ("_posts/y", "unreadable", "the folder cannot be opened or read: Permission denied"),
        ("blog", "unreadable", "the folder cannot be opened or read: Permission denied"),
    ]
    counts = made.manifest.accounting
    assert (counts["files_seen"], counts["posts"], counts["rejects"]) == (18, 10, 3)
    assert counts["ignored_by_reason"] == {"configuration": 1, "hidden name": 2, "not below _posts": 1, "not text": 1}
    newsdata.verify(tmp_path / "out")
    with pytest.raises(RejectsError, match="3 of 13 files that should be posts were rejected"):
        newsdata.build(archive, tmp_path / "strict", num_proc=1, strict=True)


def test_a_file_whose_place_a_link_takes_is_no_folder(tmp_path: Path) -> None:
    def link(path: str) -> tuple[tarfile.TarInfo, bytes]:
        member = tarfile.TarInfo(path)
        member.type, member.linkname = tarfile.SYMTYPE, "elsewhere"
        return member, b""

    names = ("README.md", "_posts/map.png", "_posts/2022-03-09-a.md")
    files = [
        (tarfile.TarInfo(path), data) for path, data in ({**many_posts(1), **dict.fromkeys(names, post())}).items()
    ]
    (tmp_path / "a.tar").write_bytes(tar_with((tarfile.TarInfo("_config.yml"), CONFIG), *files, *map(link, names)))
    made = newsdata.build(tmp_path / "a.tar", tmp_path / "out", num_proc=1)
    assert sorted((reject.path, reject.rule) for reject in made.rejects) == [
        ("_posts/2022-03-09-a.md", "not-a-file"),
        ("_posts/2022-03-09-a.md", "path-taken"),
    ]


@pytest.mark.parametrize("linked", [True, False])
def test_a_site_whose_posts_are_not_read_is_refused_with_the_cause(
    linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_archive(tmp_path / "in", many_posts(1) | {"about.md": b"x"})
    if linked:
        (archive / "_posts").rename(tmp_path / "elsewhere")
        (archive / "_posts").symlink_to(tmp_path / "elsewhere")
    else:
        shut(monkeypatch, "_posts")
    why = "this is a link, and links" if linked else "the folder cannot be opened or read: Permission denied; give your"
    with pytest.raises(SourceError, match=f"can be read as a post; _posts: {why}"):
        newsdata.build(archive, tmp_path / "out", num_proc=1)


@pytest.mark.parametrize("linked", [True, False])
def test_a_collections_dir_that_is_not_read_is_the_cause(
    linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"all/of/{path}": data for path, data in many_posts(1).items()}
    archive = write_archive(tmp_path / "in", files | {"_config.yml": b"collections_dir: all/of\n"}, timezone=None)
    if linked:
        (archive / "all").rename(tmp_path / "elsewhere")
        (archive / "all").symlink_to(tmp_path / "elsewhere")
    else:
        shut(monkeypatch, "all")
    with pytest.raises(SourceError, match="no file in it can be read as a post; all: "):
        newsdata.build(archive, tmp_path / "out", num_proc=1)


def test_any_folder_that_is_not_read_is_not_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = write_archive(tmp_path / "in", {"a/b.md": b"x", "lost+found/c": b"y"}, timezone=None)
    shut(monkeypatch, "lost+found", "blog")
    with pytest.raises(
        SourceError, match=r"no file in it is a post \(1 file in no folder `_posts`, 1 unreadable\); give the folder of"
    ):
        newsdata.build(wrong, tmp_path / "out", num_proc=1)
    monkeypatch.undo()
    blog = write_archive(tmp_path / "site", {f"blog/{path}": data for path, data in many_posts(1).items()})
    newsdata.build(blog, tmp_path / "out", num_proc=1)
    shut(monkeypatch, "lost+found", "blog")
    with pytest.raises(SourceError, match="as a post; blog: the folder cannot be opened"):
        newsdata.build(blog, tmp_path / "out", num_proc=1)
    with pytest.raises(SourceError, match=r"1 unreadable\), and 1.0.0 has 3"):
        newsdata.build(wrong, tmp_path / "out", num_proc=1)


def test_every_post_behind_a_link_is_a_reject(tmp_path: Path) -> None:
    behind = {f"_posts/2021/2021-01-{n + 1:02d}-a.md": post(body=f"<p>{n}</p>") for n in range(12)}
    archive, out = write_archive(tmp_path / "in", many_posts(10) | behind), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    (archive / "_posts" / "2021").rename(tmp_path / "elsewhere")
    (archive / "_posts" / "2021").symlink_to(tmp_path / "elsewhere")
    told = "12 posts of the version before"
    with pytest.raises(RejectsError, match=rf"^13 of 43 files .* \(not-a-file: 1; {told} in folders that are links"):
        newsdata.build(archive, out, num_proc=1)
    write_archive(archive, {path.replace("2021/", "moved/"): data for path, data in list(behind.items())[:9]})
    made = newsdata.build(archive, out, num_proc=1)  # 9 were moved, and a few rejects end no build
    assert (made.manifest.accounting["posts"], made.manifest.accounting["rejects"]) == (39, 1)
    assert (
        "3 posts of the version before lie in folders that are links or cannot be read; see the rejects" in made.notes
    )
    with pytest.raises(RejectsError, match=r"^1 of 40 files"):
        newsdata.build(archive, out, num_proc=1, strict=True)
    write_archive(archive, many_posts(1, start_day=20))
    assert not [note for note in newsdata.build(archive, out, num_proc=1).notes if "links" in note], "it was told"


def test_all_kinds_of_sources_treat_a_linked_folder_alike(tmp_path: Path) -> None:
    work = git_of(tmp_path / "in", {"_config.yml": CONFIG, **many_posts(1)})
    (work / "_posts" / "more").symlink_to("../other")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "two")
    link = tarfile.TarInfo("_posts/more")
    link.type, link.linkname = tarfile.SYMTYPE, "../other"
    files = [(tarfile.TarInfo(path), data) for path, data in {"_config.yml": CONFIG, **many_posts(1)}.items()]
    (tmp_path / "a.tar").write_bytes(tar_with(*files, (link, b"")))
    sources: tuple[str | Path, ...] = (work, f"{work}@HEAD", tmp_path / "a.tar")
    for n, source in enumerate(sources):
        made = newsdata.build(source, tmp_path / f"out{n}", num_proc=1)
        assert [(reject.path, reject.rule) for reject in made.rejects] == [("_posts/more", "not-a-file")]
