"""The synthetic archive: the same bytes everywhere, in the shapes of a real one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from newsdata.parsing.post import parse_bytes
from newsdata.schema import Post, Reject, Site

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

from make_archive import MALFORMED, extend_archive, make_archive  # noqa: E402


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def digest(root: Path) -> str:
    whole = hashlib.sha256()
    for name, data in files(root).items():
        whole.update(f"{name}\0{len(data)}\0".encode() + data)
    return whole.hexdigest()


def read(root: Path) -> list[Post | Reject]:
    site = Site(timezone="Asia/Shanghai")
    return [
        parse_bytes(name, data, site, hashlib.sha256(data).hexdigest())
        for name, data in files(root).items()
        if name != "_config.yml"
    ]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    made = make_archive(root / "archive", posts=1500, labels=root / "labels.jsonl")
    assert made.files == 1500
    return root


def test_same_bytes_whatever_the_machine(tmp_path: Path) -> None:
    make_archive(tmp_path / "here", posts=300)
    command = [sys.executable, str(SCRIPTS / "make_archive.py"), str(tmp_path / "there"), "--posts", "300"]
    surroundings = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "America/Lima", "LC_ALL": "C"}
    subprocess.run(command, check=True, env=surroundings, capture_output=True)
    assert digest(tmp_path / "here") == digest(tmp_path / "there")
    # The bytes themselves are pinned: a benchmark of another day, version or machine reads the same archive.
    assert digest(tmp_path / "here") == "4e11f4dd2d098665e184b31986ba212cc28db4de27d4189fbaf18360c7c63b65"


def test_seed_and_size(tmp_path: Path) -> None:
    for name, posts, seed, days in (
        ("a", 100, 0, None),
        ("b", 100, 1, None),
        ("c", 7, 0, 7),
        ("d", 11, 0, 3),
    ):
        assert make_archive(tmp_path / name, posts=posts, seed=seed, days=days).files == posts
        assert len(files(tmp_path / name)) == posts + 1
    assert digest(tmp_path / "a") != digest(tmp_path / "b")


def test_refuses_what_it_cannot_make(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="not empty"):
        make_archive(tmp_path, posts=10)
    with pytest.raises(ValueError, match="at least one a day"):
        make_archive(tmp_path / "few", posts=3, days=4)


@pytest.mark.slow
def test_shapes(archive: Path) -> None:
    posts = [post for post in read(archive / "archive") if isinstance(post, Post)]
    assert {post.generation for post in posts} >= {"G0", "G1", "G2", "G3", "G4"}
    assert {post.feed for post in posts} == {"emnews", "market"}
    assert {post.path.partition("/")[0] for post in posts} == {"_posts", "old_post"}
    assert 0.45 < sum(post.is_flash for post in posts) / len(posts) < 0.55
    longs = sorted(len(post.text) for post in posts if not post.is_flash)
    assert 1300 < longs[len(longs) // 2] < 1700
    assert longs[len(longs) // 20] > 400
    assert longs[-1] < 3200
    sizes = [len(data) for data in files(archive / "archive").values()]
    assert 3800 < sum(sizes) / len(sizes) < 4800
    kinds = Counter(mention.kind for post in posts for mention in post.mentions)
    assert set(kinds) == {"security", "board", "glossary"}
    assert {mention.market for post in posts for mention in post.mentions} >= {0, 1, 90, 105, 106, 116, None}
    assert any(post.chart_symbols for post in posts)
    assert any(post.headings for post in posts)
    assert any(image.caption for post in posts for image in post.images)
    assert any(post.text_codes for post in posts)
    assert all(post.text[m.start : m.end] == m.text and m.text for post in posts for m in post.mentions)


@pytest.mark.slow
def test_twins_and_moved_copies(archive: Path) -> None:
    posts = [post for post in read(archive / "archive") if isinstance(post, Post)]
    feeds = {post.article_id: set[str]() for post in posts}
    paths = Counter(post.path.partition("/")[2] for post in posts)
    for post in posts:
        feeds[post.article_id].add(post.feed)
    assert 0.3 < sum(len(found) == 2 for found in feeds.values()) / len(feeds) < 0.6
    moved = {name for name, count in paths.items() if count == 2}
    assert len(moved) > 20
    annotations = {name: set[tuple[object, ...]]() for name in moved}
    for post in posts:
        name = post.path.partition("/")[2]
        if name in moved:
            annotations[name].add(tuple((m.market, m.code) for m in post.mentions))
    assert any(len(found) == 2 for found in annotations.values())


@pytest.mark.slow
def test_malformations(archive: Path) -> None:
    everything = read(archive / "archive")
    needed = {
        "date-without-zone",
        "front-matter-leading-blank",
    }  # habits of the first days, not malformations
    faulty = [p for p in everything if isinstance(p, Reject) or set(p.issues) - needed or p.url is None]
    assert 0.3 * MALFORMED < len(faulty) / len(everything) < 2 * MALFORMED
    assert {p.rule for p in everything if isinstance(p, Reject)} <= {"empty"}
    assert all("\n" not in p.title for p in everything if isinstance(p, Post))


@pytest.mark.slow
def test_labels_name_what_was_planted(archive: Path) -> None:
    labels = [json.loads(line) for line in (archive / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    texts: dict[str, str] = {}
    for post in read(archive / "archive"):
        if isinstance(post, Post) and len(post.text) >= len(texts.get(post.article_id, "")):
            texts[post.article_id] = post.text
    copies = [label for label in labels if "copy_of" in label]
    assert 0.03 < len(copies) / len(texts) < 0.08
    shared = []
    for label in copies:
        copy, origin = texts.get(label["article_id"]), texts.get(label["copy_of"])
        if copy and origin and label["changed"] <= 0.2 and len(origin) > 300:
            grams = {origin[i : i + 8] for i in range(len(origin) - 7)}
            shared.append(sum(copy[i : i + 8] in grams for i in range(len(copy) - 7)) / max(1, len(copy) - 7))
    assert len(shared) > 30
    assert sorted(shared)[len(shared) // 2] > 0.7
    families = Counter(label["family"] for label in labels if "family" in label)
    assert len(families) == 8
    assert min(families.values()) > 5


def test_later_states_contain_the_earlier_ones(tmp_path: Path) -> None:
    options = {"posts": 600, "days": 20}
    make_archive(tmp_path, **options)  # type: ignore[arg-type]
    before = files(tmp_path)
    extend_archive(tmp_path, new=50, change=5, **options)  # type: ignore[arg-type]
    first = files(tmp_path)
    stamps = {name: (tmp_path / name).stat().st_mtime_ns for name in first}
    extend_archive(tmp_path, new=100, change=10, **options)  # type: ignore[arg-type]
    second = files(tmp_path)

    assert len(first) == len(before) + 50
    assert sum(first[name] != before[name] for name in before) == 5
    assert len(second) == len(before) + 100
    assert sum(second[name] != first[name] for name in first) == 5
    untouched = [name for name in first if second[name] == first[name]]
    assert all((tmp_path / name).stat().st_mtime_ns == stamps[name] for name in untouched)
    last_day = max(name.partition("/")[2][:10] for name in before if not name.startswith("_posts/-"))
    assert all(name.partition("/")[2][:10] > last_day or "/-" in name for name in set(first) - set(before))
    with pytest.raises(ValueError, match="can change"):
        extend_archive(tmp_path, new=0, change=10_000, **options)  # type: ignore[arg-type]


def test_command_line_extends_in_place(tmp_path: Path) -> None:
    script = [
        sys.executable,
        str(SCRIPTS / "make_archive.py"),
        str(tmp_path / "a"),
        "--posts",
        "60",
        "--days",
        "6",
    ]
    subprocess.run(script, check=True, capture_output=True)
    again = subprocess.run(script, capture_output=True, text=True)
    assert again.returncode == 2
    assert "not empty" in again.stderr
    subprocess.run([*script, "--extend", "10", "--change", "2"], check=True, capture_output=True)
    make_archive(tmp_path / "b", posts=60, days=6)
    extend_archive(tmp_path / "b", posts=60, days=6, new=10, change=2)
    assert files(tmp_path / "a") == files(tmp_path / "b")
