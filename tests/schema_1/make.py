"""How `versions.tar.gz` was made: with the last newsdata of schema 1 (commit 641981d) on the path, `python make.py FOLDER`.

It holds `archive` (posts of our own), `full/1.0.0` and `free/1.0.0` (the same without text), and `history/1.0.0`, made from a
git repository whose last commit is that archive.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import newsdata

NAV = "[返回东财滚动新闻](//finews.example/emnews/)｜[返回首页](//finews.example/)"
CHART = (
    '<!-- EM_StockImg_Start --><p style="text-align:center;"><a href="/r/116.09999" class="EmImageRemark">'
    '<img src="http://x.example/GetPic.aspx?nid=116.09999" /></a></p><!-- EM_StockImg_End -->'
)
MENTION = '<span class="em_stock_key_common" data-code="{}">{}</span>'


def feed(title: str, day: str, body: str, number: int, category: str = "emnews", tag: str = "东财滚动新闻") -> str:
    return (
        f'---\nlayout: post\ntitle: "{title}"\ndate: {day} 10:00:00 +0800\ncategories: {category}\ntags: {tag}\n---\n'
        f"{body}\n\n<http://news.example/{number}.html>\n\n{NAV}\n"
    )


def posts() -> dict[str, str]:
    first = f"> 海岚船厂交付新船。（海岚日报）\n\n{CHART}<p>{MENTION.format('0,830799', '海岚船厂')}（830799）上午交付新船，"
    first += f'{MENTION.format("1,600519", "松陵酒业")}(600519)到场。</p><p class="em_media">（文章来源：海岚日报）</p>'
    found = {
        "_posts/2022-03-01-202203010000000001.md": feed("海岚船厂交付新船", "2022-03-01", first, 1),
        "_posts/2022-03-01-NW202203010000000001.md": feed(
            "海岚船厂交付新船", "2022-03-01", "<p>海岚船厂上午交付新船。</p>", 1, "hailanribao", "海岚日报新闻"
        ),
        "_posts/2022-03-05-202203050000000002.md": "",
        "_posts/2022-02-03-notes.md": "---\ntitle: Notes\nauthor: Ada\ndescription: A lead.\n---\nSome *words* of ours.\n",
        "_config.yml": "title: Small\ntimezone: Asia/Shanghai\n",
        "_posts/-202203090000000009.md": '---\ntitle: ""\ndate:  +0800\n---\n<p>没有日期的一条。</p>\n',
    }
    for day in range(2, 9):
        text = f"<p>第{day}天，青岚股份（00270{day}.SZ）公告第{day}号：冷柜生产线按期开工，投资{day}亿元，工期{day}个月。</p>"
        found[f"_posts/2022-03-0{day}-20220301000000010{day}.md"] = feed(
            f"青岚股份第{day}号公告", f"2022-03-0{day}", text, day
        )
    return found


def write(archive: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (archive / path).parent.mkdir(parents=True, exist_ok=True)
        (archive / path).write_text(text, encoding="utf-8", newline="\n")


def commit(repository: Path, time: int) -> None:
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A"), ("EMAIL", "a@a"), ("DATE", f"{time} +0000"))
    }
    for arguments in (["add", "-A"], ["commit", "-qm", "posts"]):
        subprocess.run(["git", "-C", str(repository), *arguments], check=True, env={**os.environ, **who})


def main(folder: Path) -> None:
    archive, repository = folder / "archive", folder / "repository"
    write(archive, posts())
    repository.mkdir()
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    earlier = posts()
    earlier["_posts/2022-02-03-notes.md"] = "---\ntitle: Draft of notes\n---\nOther words.\n"
    write(repository, earlier)
    commit(repository, 1_646_200_000)
    write(repository, posts())
    commit(repository, 1_646_300_000)
    newsdata.build(archive, folder / "full", num_proc=1)
    newsdata.build(archive, folder / "free", text="none", num_proc=1)
    newsdata.build(f"{repository}@HEAD", folder / "history", history=True, num_proc=1)
    for name in ("full", "free", "history"):
        shutil.rmtree(folder / name / ".newsdata")
    with tarfile.open(folder / "versions.tar.gz", "w:gz") as tar:
        for name in ("archive", "full", "free", "history"):
            tar.add(folder / name, arcname=name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
