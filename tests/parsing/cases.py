"""Reads the cases of ../shared/cases: posts, and in `expected.json` what is right for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from newsdata.parsing.post import parse_post
from newsdata.schema import Post

CASES = Path(__file__).parents[3] / "shared/cases"


def expectations(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The posts of a folder that has an `expected.json`, and what is expected of each."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for path, expect in expected.get("expect", expected).items():
        yield folder / path if "/" in path else folder / "_posts" / path, expect


def _as_json(value: object) -> object:
    return [_as_json(part) for part in value] if isinstance(value, tuple) else value


_CHECKS: dict[str, Callable[[Post, Any], bool]] = {
    "lines": lambda post, lines: set(lines) <= set(post.text.split("\n")),
    "in_text": lambda post, parts: all(part in post.text for part in parts),
    "not_in_text": lambda post, parts: not any(part in post.text for part in parts),
    "text_first3": lambda post, lines: post.text.split("\n")[: len(lines)] == lines,
    "text_any": lambda post, texts: post.text in texts,
    "links": lambda post, links: [[link.url, post.text[link.start : link.end]] for link in post.links] == links,
    "headings": lambda post, words: [post.text[start:end] for start, end in post.headings] == words,
    "text_codes_not": lambda post, codes: not {found.code for found in post.text_codes} & set(codes),
    "exchange": lambda post, exchanges: (
        all(mention.exchange == exchanges[mention.code] for mention in post.mentions if mention.code in exchanges)
        and set(exchanges) <= {mention.code for mention in post.mentions}
    ),
    "note": lambda post, words: True,
}


def faults(path: Path, expect: dict[str, Any]) -> list[str]:
    """What of a post is not as expected."""
    post = parse_post(path)
    assert isinstance(post, Post), post
    found = []
    for key, wanted in expect.items():
        check = _CHECKS.get(key)
        if check is None:
            got = _as_json(getattr(post, key))
            if got != wanted:
                found.append(f"{key}: {got!r}, and not {wanted!r}")
        elif not check(post, wanted):
            found.append(f"{key}: not {wanted!r} in {post.text!r}, {post.links}, {post.headings}")
    return found
