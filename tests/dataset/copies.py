"""An article and its copies: a reprint, a longer twin, and a later one."""

from __future__ import annotations

from ..conftest import post

__all__ = ["FIRST", "LATER", "REPRINT", "STORY", "TWIN", "story"]

STORY = [
    "".join(
        f"{'东南西北'[(k * 7 + i) % 4]}岸第{k * 31 + i * 17}号码头今晨{'卸装查修'[(k + i) % 4]}货物" for i in range(6)
    )
    + "。"
    for k in range(12)
]
FIRST, REPRINT, LATER, TWIN = ("202203052200000001", "202203062200000002", "202203092200000003", "202203062200000004")


def story(identity: str, day: str, paragraphs: list[str], tag: str, title: str) -> tuple[str, bytes]:
    """The path and the bytes of a post of a publisher."""
    body = "".join(f"<p>{p}</p>" for p in paragraphs) + f"\n\n<http://news.example/{identity}.html>\n"
    data = post(title=title, date=f"{day} 09:15:00 +0800", category="haibao", tag=f"{tag}新闻", body=body)
    return f"_posts/{day}-NW{identity}.md", data
