"""The simple script that many would write today, to compare newsdata with: `python scripts/naive_build.py ARCHIVE OUT`.

It uses python-frontmatter, BeautifulSoup and pandas, and writes one Parquet file for each split. It skips posts that plain
YAML cannot read, does not look for near-copies, and holds everything in memory. newsdata does not install BeautifulSoup:
`pip install beautifulsoup4`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["build", "read_post", "read_posts"]

_SOURCE = re.compile(r"（文章来源：(.*?)）")
_URL = re.compile(r"<(https?://[^>]*)>")
_NAV = re.compile(r"^\[返回.*$", re.MULTILINE)


def read_post(path: Path) -> dict[str, Any]:
    """One post as a row: front matter, and what the HTML of the body says. Raises any error of the libraries."""
    import frontmatter
    import pandas as pd
    from bs4 import BeautifulSoup

    post = frontmatter.load(str(path))
    body = _NAV.sub("", post.content)
    urls = _URL.findall(body)
    soup = BeautifulSoup(_URL.sub("", body), "html.parser")
    paragraphs = []
    for p in soup.find_all("p"):
        if "display:none" not in str(p.get("style")) and "em_media" not in str(p.get("class")):
            paragraphs.append(p.get_text().strip())
    marked = soup.find_all(["a", "span"], class_=["keytip", "em_stock_key_common"])
    mentions = [{"text": tag.get_text(), "code": tag["data-code"]} for tag in marked]
    source = _SOURCE.search(soup.get_text())
    date = pd.Timestamp(str(post["date"]))
    return {
        "article_id": path.stem.rsplit("-", 1)[-1].removeprefix("NW"),
        "title": str(post["title"]),
        "published_at": date.tz_localize("Asia/Shanghai") if date.tz is None else date.tz_convert("Asia/Shanghai"),
        "category": str(post["categories"]),
        "media": str(post["tags"]).removesuffix("新闻"),
        "text": "\n".join(p for p in paragraphs if p) or body.strip(),
        "source": source[1] if source else None,
        "url": urls[-1] if urls else None,
        "mentions": mentions,
    }


def read_posts(archive: Path) -> Iterator[dict[str, Any]]:
    """Every post that can be read; the others are skipped."""
    for folder in ("_posts", "old_post"):
        for path in sorted((archive / folder).glob("*.md")):
            try:
                yield read_post(path)
            except Exception:  # noqa: S112 - a simple script does just that, and loses these posts
                continue


def build(archive: Path, out: Path) -> dict[str, int]:
    """Write train, validation and test as one Parquet file each. Returns the number of rows by split."""
    import pandas as pd

    rows = pd.DataFrame(read_posts(archive)).drop_duplicates("article_id").sort_values("published_at")
    first, second = int(len(rows) * 0.8), int(len(rows) * 0.9)
    splits = {"train": rows[:first], "validation": rows[first:second], "test": rows[second:]}
    out.mkdir(parents=True, exist_ok=True)
    for name, part in splits.items():
        part.to_parquet(out / f"{name}.parquet", index=False)
    return {name: len(part) for name, part in splits.items()}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: naive_build.py ARCHIVE OUT")
    try:
        import bs4  # noqa: F401
    except ImportError:
        sys.exit("naive_build.py needs BeautifulSoup: pip install beautifulsoup4")
    print(json.dumps(build(Path(sys.argv[1]), Path(sys.argv[2]))))
