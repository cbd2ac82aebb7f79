"""An archive with a history, made at random and committed with real git: the posts of every commit, and when it counts as made."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ..conftest import post
from ..source_files import git

CONFIG = b"timezone: Asia/Shanghai\n"
START = int(datetime(2022, 3, 1, tzinfo=UTC).timestamp())
NAMES = ("青岚股份", "禾渡食品", "云溪钢铁", "北渡物流", "南岭电缆")
THINGS = ("库存", "订单", "运价", "产量", "库容")
BROKEN = (b"", b"---\ntitle: x\n", b"\x00\xff\xfe\x01" * 9, b"---\n- a\n- b\n---\nx\n")


@dataclass
class History:
    """The main line of the repository `folder`: for each commit its id and the time from which it counts, in seconds."""

    folder: Path
    commits: list[str]
    times: list[int]

    def commit_at(self, time: float) -> str | None:
        """The commit whose files the archive had at a time."""
        found = [commit for commit, when in zip(self.commits, self.times, strict=True) if when <= time]
        return found[-1] if found else None


@dataclass
class Posts:
    """The files of the archive, edited at random."""

    rng: random.Random
    files: dict[str, bytes] = field(default_factory=lambda: {"_config.yml": CONFIG})
    gone: dict[str, bytes] = field(default_factory=dict)
    edits: int = 0

    def some(self, ending: str = "") -> str | None:
        paths = sorted(path for path in self.files if "/" in path and path.endswith(ending) and "assets" not in path)
        return self.rng.choice(paths) if paths else None

    def text(self) -> str:
        rng = self.rng
        lines = [
            f"{rng.choice(NAMES)}的{rng.choice(THINGS)}为{rng.randrange(10**6)}，记者{rng.randrange(99)}。"
            for _ in range(rng.randrange(1, 5))
        ]
        if rng.random() < 0.5:
            code = f"{rng.choice((600, 2, 300)):0>3}{rng.randrange(1000):03d}"
            lines.append(
                f'<a href="http://quote.example/unify/r/0.{code}" class="wz">{rng.choice(NAMES)}</a>（{code}）走高。'
            )
        return "".join(f"<p>{line}</p>" for line in lines)

    def content(self, path: str) -> bytes:
        rng, market = self.rng, "-NW" in path
        day = path[path.rindex("/") + 1 :][:10]
        date = "" if rng.random() < 0.1 else f"{day} {rng.randrange(24):02d}:{rng.randrange(60):02d}:00 +0800"
        body = "" if rng.random() < 0.1 else self.text()
        link = f"\n\n<http://news.example/a,{rng.randrange(10**9)}.html>\n" if rng.random() < 0.7 else "\n\n<>\n"
        source = "<p>（文章来源：望山财经）</p>" if rng.random() < 0.4 else ""
        return post(
            title="" if rng.random() < 0.15 else f"{rng.choice(NAMES)}{rng.choice(THINGS)}{rng.randrange(99)}",
            date=date,
            category="wangshan" if market else "emnews",
            tag=rng.choice(("望山财经新闻", "鹭洲晚报新闻")) if market else "东财滚动新闻",
            body=f"{body}{source}{link}",
        )

    def write(self, path: str) -> None:
        self.files[path] = self.content(path)

    def add(self) -> None:
        rng = self.rng
        day = f"2022-03-{rng.randrange(1, 29):02d}"
        kind = rng.random()
        if kind < 0.75:
            mark = "NW" if rng.random() < 0.4 else ""
            self.write(f"_posts/{day}-{mark}{day.replace('-', '')}{rng.randrange(10**10):010d}.md")
        else:
            self.write(f"_posts/{day}-note-{rng.randrange(10**5)}.{rng.choice(('md', 'md', 'html', 'txt'))}")

    def add_twin(self) -> None:
        """The same article from the other feed, from another folder, or with another extension."""
        path = self.some(".md")
        if path is None:
            return
        folder, _, name = path.rpartition("/")
        if not name[-6:-3].isdigit() or len(name) < 32:
            self.write(f"{path[:-3]}.{self.rng.choice(('html', 'txt', 'markdown'))}")
        elif self.rng.random() < 0.3:
            self.write(f"{'old_post' if folder == '_posts' else '_posts'}/{name}")
        else:
            other = name.replace("-NW", "-") if "-NW" in name else f"{name[:11]}NW{name[11:]}"
            self.write(f"_posts/{other}")

    def change(self) -> None:
        if path := self.some():
            self.write(path)

    def move(self) -> None:
        if path := self.some():
            folder = "old_post" if path.startswith("_posts/") else "_posts"
            self.files[f"{folder}/{path[path.rindex('/') + 1 :]}"] = self.files.pop(path)

    def delete(self) -> None:
        if path := self.some():
            self.gone[path] = self.files.pop(path)

    def add_again(self) -> None:
        if self.gone:
            path = self.rng.choice(sorted(self.gone))
            self.files.setdefault(path, self.gone.pop(path))

    def spoil(self) -> None:
        if path := self.some():
            self.files[path] = self.rng.choice(BROKEN)

    def correct_date(self) -> None:
        if path := self.some(".md"):
            self.files[path] = self.files[path].replace(b"2022-03-", b"2022-04-")

    def step(self) -> None:
        edits: tuple[Callable[[], None], ...] = (
            self.add, self.add, self.add, self.add, self.add_twin, self.add_twin, self.add_twin, self.change, self.change, self.move, self.delete,
            self.add_again, self.spoil, self.correct_date,
        )  # fmt: skip
        for _ in range(self.rng.choice((1, 1, 2, 4))):
            self.rng.choice(edits)()
        self.edits += 1
        self.files["assets/count.css"] = f"p {{ order: {self.edits} }}".encode()  # no commit without a change
        if not any(path.startswith("_posts/") for path in self.files):
            self.write("_posts/2022-03-05-the-last-one.md")


def make_history(folder: Path, commits: int, seed: int) -> History:
    """A repository with so many commits on its main line, some of them merges, some with a clock that went back."""
    rng = random.Random(seed)
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    posts = Posts(rng)
    stream: list[bytes] = []
    marks = main = 0
    clock = START

    def commit(time: int, first: int, second: int = 0) -> int:
        nonlocal marks
        marks += 1
        head = f"commit refs/heads/main\nmark :{marks}\nauthor n <e@example.org> 0 +0000\n"
        head += f"committer n <e@example.org> {time} +0800\ndata 1\nx\n"
        head += f"from :{first}\n" if first else ""
        head += f"merge :{second}\n" if second else ""
        stream.append(f"{head}deleteall\n".encode())
        for path, data in sorted(posts.files.items()):
            stream.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
        return marks

    times: list[int] = []
    for _ in range(commits):
        clock += rng.choice((0, 60, 3600, 7200, 40_000))
        time = clock - rng.randrange(10**5) if rng.random() < 0.1 and times else clock
        side = main
        if main and rng.random() < 0.1:  # a branch whose own states never were on the main line
            for _ in range(rng.randrange(1, 3)):
                posts.step()
                side = commit(clock - rng.randrange(5000), side)
        posts.step()
        main = commit(time, main, side if side != main else 0)
        times.append(max(time, times[-1] if times else 0))
    git(folder, "fast-import", "--quiet", "--force", given=b"".join(stream))
    listed = git(folder, "rev-list", "--first-parent", "--reverse", "main").split()
    return History(folder=folder, commits=listed, times=times)
