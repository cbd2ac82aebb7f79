"""Versions in a folder: by number, by range, the newest; yanked ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.dataset.open_version import find_version, named_repository, open_version, require_versions
from newsdata.errors import CallError, VerifyError, VersionError

from .published import VERSIONS, spoil


@pytest.mark.parametrize(
    ("revision", "version"),
    [
        (None, "2.0.0"),
        ("*", "2.0.0"),
        ("1.*", "1.10.0"),
        ("v1.9.*", "1.9.0"),
        ("1.0.0", "1.0.0"),
        ("v1.0.0", "1.0.0"),
    ],
)
def test_a_revision_is_one_version(made: Path, revision: str | None, version: str) -> None:
    folder, manifest = open_version(made, revision)
    assert (folder, manifest.dataset_version) == (made / version, version)
    found = find_version(made, revision)
    assert (found.folder, found.manifest, found.on_hub, found.yanked) == (folder, manifest, None, None)


@pytest.mark.parametrize("revision", [None, "1.9.0", "v1.9.0", "1.*", "*"])
def test_the_folder_of_a_version(made: Path, revision: str | None) -> None:
    assert open_version(made / "1.9.0", revision)[1].dataset_version == "1.9.0"


def test_versions_that_do_not_exist(made: Path, tmp_path: Path) -> None:
    for revision in ("3.0.0", "3.*"):
        with pytest.raises(VersionError, match=r"no version 3.*there are: 1\.0\.0, 1\.9\.0, 1\.10\.0, 2\.0\.0"):
            open_version(made, revision)
    with pytest.raises(VersionError, match=r"no such version; there are: 1\.0\.0"):
        open_version(made / "1.0.1")
    with pytest.raises(VersionError, match=r"this folder holds 1\.0\.0, not 2\.0\.0"):
        open_version(made / "1.0.0", "2.0.0")
    with pytest.raises(VersionError, match="no dataset here; build one"):
        open_version(tmp_path)
    for revision in ("1", "latest", "1*"):
        with pytest.raises(VersionError, match=r"X\.Y\.Z"):
            open_version(made, revision)


def test_the_hint_names_what_may_be_meant(made: Path, tmp_path: Path) -> None:
    with pytest.raises(VersionError, match=r"no such folder; check the path.*owner/name"):
        open_version(tmp_path / "nowhere")
    with pytest.raises(VersionError, match=rf"no dataset here; give {made / '1.0.0'}$"):
        open_version(made / "1.0.0" / "articles")
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "out").symlink_to(made)
    (tmp_path / "many" / "1.0.0-partial").symlink_to(made / "1.0.0")
    (tmp_path / "many" / "a file").touch()
    both = rf"give {tmp_path / 'many' / '1.0.0-partial'} or {tmp_path / 'many' / 'out'}$"
    with pytest.raises(VersionError, match=both):
        open_version(tmp_path / "many")
    for number in range(100):
        (tmp_path / "many" / str(number)).touch()
    with pytest.raises(VersionError, match="no dataset here; build one"):
        open_version(tmp_path / "many")


def test_a_folder_with_a_version_behind_an_at_sign(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.parent)
    for path in (f"{made}@1.9.0", f"{made.parent.name}/{made.name}@1.9.0"):
        monkeypatch.chdir(made.parent.parent)
        with pytest.raises(
            VersionError, match=r"no such folder; of a folder, .*--revision 1\.9\.0 .*revision='1\.9\.0'"
        ):
            find_version(path)


def test_a_version_sought_in_a_folder_is_no_repository_of_a_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert named_repository("out/1.0.0", None) == ("out/1.0.0", None)
    (tmp_path / "out").mkdir()
    with pytest.raises(VersionError, match="no dataset here, and no such folder; check the path"):
        find_version("out/1.0.0")


def test_a_version_beside_others_is_no_repository_of_a_hub(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.parent)
    with pytest.raises(VersionError, match=r"there are: 1\.0\.0"):
        find_version(f"{made.name}/1.0.1")


@pytest.mark.parametrize(
    ("path", "revision", "found"),
    [
        ("lab/finews", None, ("lab/finews", None)),
        ("lab/finews@1.0.0", None, ("lab/finews", "1.0.0")),
        ("lab/finews@1.*", None, ("lab/finews", "1.*")),
        ("lab/finews@v1.0.0", "1.0.0", ("lab/finews", "v1.0.0")),
        ("hf://datasets/lab/finews", "1.0.0", ("lab/finews", "1.0.0")),
        ("hf://datasets/lab/finews/", None, ("lab/finews", None)),
        (Path("hf://datasets/lab/finews@1.0.0"), None, ("lab/finews", "1.0.0")),
        ("finews", None, None),
        ("./lab/finews", None, None),
        ("/lab/finews", None, None),
        ("C:/lab/finews", None, None),
    ],
)
def test_which_paths_name_a_repository(
    path: str | Path, revision: str | None, found: tuple[str, str | None] | None
) -> None:
    assert named_repository(path, revision) == found


def test_a_folder_that_is_there_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab" / "finews@1.0.0").mkdir(parents=True)
    assert named_repository("lab/finews@1.0.0", None) is None
    assert named_repository("hf://datasets/lab/finews@1.0.0", None) == ("lab/finews", "1.0.0")


@pytest.mark.parametrize(
    ("path", "revision", "said"),
    [
        ("lab/finews@1.0.0", "1.1.0", r"the path names 1\.0\.0, and revision= names 1\.1\.0; leave one out"),
        (
            "hf://datasets/lab/finews@1.0.0/articles",
            None,
            "not the address of a repository; write hf://datasets/owner/",
        ),
        ("hf://datasets/finews", None, "not the address of a repository"),
        ("hf://lab/finews", None, 'written as "owner/name"'),
        ("https://huggingface.co/datasets/lab/finews", None, 'written as "owner/name"'),
        (
            "az://bucket/finews/1.0.0",
            None,
            r'cannot be loaded from this address; copy it to a disk.*fsspec.filesystem\("az"\).get',
        ),
        ("file:///data/finews", None, "cannot be loaded from this address"),
    ],
)
def test_addresses_that_are_refused(path: str, revision: str | None, said: str) -> None:
    with pytest.raises(CallError, match=said):
        find_version(path, revision)


def test_yanked_versions_are_opened_only_by_their_number(made: Path) -> None:
    newsdata.yank(made, revision="2.0.0", reason="bad")
    try:
        assert open_version(made)[1].dataset_version == open_version(made, "*")[1].dataset_version == "1.10.0"
        assert find_version(made, "2.0.0").yanked == find_version(made / "2.0.0").yanked == "bad"
        with pytest.raises(VersionError, match=r"every version was yanked \(2\.0\.0: bad\); name one exactly"):
            open_version(made, "2.*")
    finally:
        (made / "2.0.0" / "yanked.json").unlink()


def test_require_versions(made: Path, tmp_path: Path) -> None:
    assert require_versions(made) == list(VERSIONS)
    with pytest.raises(VersionError, match="no versions here"):
        require_versions(tmp_path / "nothing")


def test_shards_are_checked(made: Path) -> None:
    found = find_version(made, "1.9.0")
    good, bad, missing = found.manifest.shards
    spoil(made / "1.9.0" / bad.path)
    (made / "1.9.0" / missing.path).unlink()
    for streaming in (False, True):
        assert found.shard_files([good], streaming=streaming) == [str(made / "1.9.0" / good.path)]
        with pytest.raises(VerifyError, match="its bytes were changed"):
            found.shard_files([good, bad], streaming=streaming)
        with pytest.raises(VerifyError, match="is missing"):
            found.shard_files([missing], streaming=streaming)
