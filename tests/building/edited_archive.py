"""An archive that is edited at random, as every kind of source, and what tells whether two versions are the same."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from newsdata.storage.manifest import Manifest

from ..conftest import post, write_archive
from ..source_files import git, tar_of, zip_of

CONFIG = b"timezone: Asia/Shanghai\n"
GOODS = ("钢材", "小麦", "玻璃", "棉花", "原木", "铜杆", "水泥", "白糖")
CITIES = ("青石", "云溪", "北渡", "南岭", "东湾", "西坪")


def words(rng: random.Random) -> str:
    """Sentences of our own, hardly ever the same twice."""
    return "".join(
        f"{rng.choice(CITIES)}{rng.choice(GOODS)}库存{rng.randrange(10_000)}吨，较上周{rng.choice('增减')}{rng.randrange(900)}吨。"
        for _ in range(rng.randrange(3, 9))
    )


@dataclass
class Archive:
    """An archive that is edited at random: path -> bytes."""

    rng: random.Random
    files: dict[str, bytes] = field(default_factory=lambda: {"_config.yml": CONFIG})
    broken: set[str] = field(default_factory=set)

    def posts(self) -> list[str]:
        return sorted(p for p in self.files if "/" in p and p not in self.broken)

    def day(self) -> str:
        return f"2022-03-{self.rng.randrange(1, 29):02d}"

    def write(self, path: str, text: str, day: str | None = None) -> None:
        date = f"{day or path[path.rindex('/') + 1 :][:10]} {self.rng.randrange(24):02d}:{self.rng.randrange(60):02d}:00 +0800"
        link = f"\n\n<http://news.example/a,{self.rng.randrange(10**9)}.html>\n" if self.rng.random() < 0.8 else "\n"
        self.files[path] = post(
            title=text[:12], date=date, tag=self.rng.choice(("要闻", "行情")), body=f"\n<p>{text}</p>{link}"
        )

    def add(self) -> None:
        day, number = self.day(), self.rng.randrange(10**10)
        name = f"{day}-{day.replace('-', '')}{number:010d}.md" if self.rng.random() < 0.7 else f"{day}-note-{number}.md"
        self.write(f"{self.rng.choice(('_posts', '_posts', 'old_post'))}/{name}", words(self.rng))

    def add_twin(self) -> None:
        own = [p for p in self.posts() if p[-6:-3].isdigit() and "-NW" not in p]
        if own:
            path = self.rng.choice(own)
            twin = f"_posts/{path[path.rindex('/') + 1 :][:11]}NW{path[-21:]}"
            self.files[twin] = self.files[path].replace("要闻".encode(), "晨报新闻".encode())

    def add_near_copy(self) -> None:
        if self.posts():
            data = self.files[self.rng.choice(self.posts())]
            day = self.day()
            body = data.partition(b"<p>")[2].partition(b"</p>")[0].decode()
            self.write(
                f"_posts/{day}-{day.replace('-', '')}{self.rng.randrange(10**10):010d}.md", body + "记者综合报道。"
            )

    def edit(self) -> None:
        if self.posts():
            self.write(self.rng.choice(self.posts()), words(self.rng))

    def delete(self) -> None:
        if len(self.files) > 1:
            path = self.rng.choice(sorted(set(self.files) - {"_config.yml"}))
            self.broken.discard(path)
            del self.files[path]

    def rename(self) -> None:
        if self.posts():
            path = self.rng.choice(self.posts())
            self.files[f"{path[:-3]}{self.rng.randrange(10)}.md"] = self.files.pop(path)

    def move(self) -> None:
        if self.posts():
            path = self.rng.choice(self.posts())
            folder = "old_post" if path.startswith("_posts/") else "_posts"
            self.files[f"{folder}/{path[path.rindex('/') + 1 :]}"] = self.files.pop(path)

    def spoil(self) -> None:
        if self.posts():
            path = self.rng.choice(self.posts())
            self.broken.add(path)
            self.files[path] = self.rng.choice(
                (b"", b"---\ntitle: x\n", b"\x00\xff\xfe\x01" * 9, b"---\n- a\n- b\n---\nx\n")
            )

    def mend(self) -> None:
        if self.broken:
            path = self.rng.choice(sorted(self.broken))
            self.broken.discard(path)
            self.write(path, words(self.rng))

    def redate(self) -> None:
        if self.posts():
            path = self.rng.choice(self.posts())
            self.write(path, words(self.rng), day=self.day())

    def configure(self) -> None:
        self.files["_config.yml"] = self.rng.choice(
            (
                CONFIG,
                CONFIG + b"# a remark\n",
                b"timezone: UTC\n",
                CONFIG + b"defaults:\n  - scope: {path: old_post}\n    values: {tags: [archive]}\n",
                CONFIG + b"exclude: [old_post]\n",
            )
        )

    def add_other(self) -> None:
        self.files[f"assets/{self.rng.randrange(3)}.css"] = b"p {}\n"

    def step(self) -> None:
        often = (self.add, self.add, self.add_twin, self.add_near_copy, self.edit, self.delete, self.rename, self.move)
        rarely = (self.spoil, self.mend, self.redate, self.configure, self.add_other)
        for _ in range(self.rng.choice((0, 1, 1, 2, 5))):
            self.rng.choice((*often, *often, *rarely))()
        if not any(path.startswith("_posts/") for path in self.files):  # a site without a post is refused
            self.write("_posts/2022-03-05-the-last-one.md", words(self.rng))


# ------------------------------------------------------------------------------------------------------- sources


def as_folder(place: Path, files: Mapping[str, bytes]) -> Path:
    """The files in a folder; those that stay are not touched."""
    for old in [p for p in place.rglob("*") if p.is_file() and p.relative_to(place).as_posix() not in files]:
        old.unlink()
    stays = {path for path, data in files.items() if (place / path).is_file() and (place / path).read_bytes() == data}
    return write_archive(place, {path: data for path, data in files.items() if path not in stays}, timezone=None)


def as_git(place: Path, files: Mapping[str, bytes]) -> Path:
    """The files as the newest commit of a bare repository."""
    bare = place / "archive.git"
    if not bare.is_dir():
        bare.mkdir(parents=True)
        git(bare, "init", "-q", "--bare", "-b", "main")
    stream = b"commit refs/heads/main\ncommitter n <e@example.org> 0 +0000\ndata 0\n\ndeleteall\n"
    for path, data in files.items():
        stream += f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"
    git(bare, "fast-import", "--quiet", "--force", given=stream)
    return bare


def as_zip(place: Path, files: Mapping[str, bytes]) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / "archive.zip").write_bytes(zip_of(dict(files)))
    return place / "archive.zip"


def as_tar(place: Path, files: Mapping[str, bytes]) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / "archive.tar.gz").write_bytes(gzip.compress(tar_of(dict(files))))
    return place / "archive.tar.gz"


SOURCES: tuple[Callable[[Path, Mapping[str, bytes]], Path], ...] = (as_git, as_folder, as_zip, as_tar)


# ----------------------------------------------------------------------------------------------------- comparing


def digests(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def inodes(folder: Path, manifest: Manifest) -> dict[str, tuple[str, int]]:
    return {s.path: (s.sha256, (folder / s.path).stat().st_ino) for s in manifest.shards}
