"""Stage sign: only articles that changed are signed, and everything that shapes a signature counts as a change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock, patch

import pytest

import newsdata
from newsdata.near_duplicates.signatures import sign

from ...conftest import many_posts, post, write_archive


def signatures(out: Path) -> dict[str, str]:
    files = (out / ".newsdata" / "cache").glob("*.signatures")
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.slow
def test_only_articles_that_changed_are_signed(tmp_path: Path) -> None:
    files = many_posts(30, per_day=5)
    archive, out = write_archive(tmp_path / "in", files), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    names = sorted(path for path in files if path.startswith("_posts/"))
    (archive / names[3]).write_bytes(files[names[3]].replace("仓库".encode(), "船坞".encode()))
    (archive / names[40]).unlink()
    (archive / "_posts" / "2022-03-09-202203090000000099.md").write_bytes(
        post(title="新的一篇", date="2022-03-09 09:00:00")
    )
    with patch("newsdata.building.stages.sign.sign", wraps=sign) as signed:
        newsdata.build(archive, out, num_proc=1)
    assert sorted(name for call in signed.call_args_list for name in call.args[0].to_pylist()) == sorted(
        [Path(names[3]).stem[-18:], "202203090000000099"]
    )
    newsdata.build(archive, tmp_path / "full", base=out / "1.0.0", num_proc=1)
    assert signatures(out) == signatures(tmp_path / "full")


@pytest.mark.slow
def test_another_parser_signs_everything_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file may be read as other words by then."""
    archive, out = write_archive(tmp_path / "in", many_posts(10)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    before = signatures(out)
    monkeypatch.setattr("newsdata.building.request.PARSER_VERSION", "another")
    (archive / "_posts" / "2022-03-09-202203090000000099.md").write_bytes(
        post(title="新的一篇", date="2022-03-09 09:00:00")
    )
    with patch("newsdata.building.stages.sign.sign", wraps=sign) as signed:
        newsdata.build(archive, out, num_proc=1)
    assert sum(len(call.args[0]) for call in signed.call_args_list) == 31
    assert before.keys().isdisjoint(signatures(out))


@pytest.fixture
def signed() -> Iterator[MagicMock]:
    with patch("newsdata.building.stages.sign.sign", wraps=sign) as wrapped:
        yield wrapped


def ids_of(signed: MagicMock) -> list[str]:
    """The articles that were signed since this was asked last."""
    found = sorted(name for call in signed.call_args_list for name in call.args[0].to_pylist())
    signed.reset_mock()
    return found


ONE, TWO = "202203010000000001", "202203020000000001"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<http://news.example/202203010000000001.html>", "<http://news.example/other.html>"),
        ("date: 2022-03-01", "date: 2022-03-02"),
        ("号仓库", "号船坞"),
    ],
)
def test_address_day_and_words_shape_a_signature(old: str, new: str, tmp_path: Path, signed: MagicMock) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(6)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    assert len(ids_of(signed)) == 18
    file = archive / f"_posts/2022-03-01-{ONE}.md"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    newsdata.build(archive, out, num_proc=1)
    assert ids_of(signed) == [ONE]
    newsdata.build(archive, out, version="9.0.0", num_proc=1)
    assert ids_of(signed) == []


def test_an_empty_text_is_compared_by_its_digest_or_title(tmp_path: Path, signed: MagicMock) -> None:
    """The words are those of whichever post speaks for them."""
    files = many_posts(6)
    for path, digest in (
        (f"_posts/2022-03-01-{ONE}.md", "港口恢复装卸，航线陆续开通。"),
        (f"_posts/2022-03-02-{TWO}.md", ""),
    ):
        files[path] = post(
            title="港口恢复", body=f"> {digest}\n\n<http://news.example/{path[-8:]}.html>\n" if digest else "\n"
        )
    newsdata.build(write_archive(tmp_path / "in", files), tmp_path / "out", num_proc=1)
    words = {
        name: text
        for call in signed.call_args_list
        for name, text in zip(call.args[0].to_pylist(), call.args[1].texts, strict=True)
    }
    assert words[ONE].startswith("港口恢复装卸，航线陆续开通") and words[TWO] == "港口恢复"
    assert len(words) == 18 and all(words.values())


@pytest.mark.slow
def test_a_twin_that_does_not_speak_signs_nothing(tmp_path: Path, signed: MagicMock) -> None:
    """Which post speaks for the words counts, not how many there are."""
    files = many_posts(6)
    archive, out = write_archive(tmp_path / "in", files), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    ids_of(signed)
    path = f"_posts/2022-03-01-{ONE}.md"
    write_archive(archive, {f"old_post/2022-03-01-{ONE}.md": files[path]})
    newsdata.build(archive, out, num_proc=1)
    assert ids_of(signed) == []
    (archive / path).unlink()
    newsdata.build(archive, out, num_proc=1)
    assert ids_of(signed) == [ONE], "now the twin speaks"
