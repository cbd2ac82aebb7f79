"""Read front matter line by line, where YAML cannot read it or does not read it as the author meant it."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from .site import READ_KEYS
from .yaml_text import HostileYamlError, Mapping, Scalar, Value, load_yaml, without_control

__all__ = ["ArchiveLines", "archive_lines", "rescue"]

# The archive's crawler wrote five keys in this order and escaped nothing. The limits on repetition bound the work on a
# hostile file.
_ARCHIVE = re.compile(
    r"---[ \t]*\n"
    r"layout:(?P<layout>[^\n]*)\n"
    r"title:(?P<title>[^\n]*(?:\n[^\n]*){0,20}?)\n"
    r"date:(?P<date>[^\n]*)\n"
    r"categories:(?P<categories>[^\n]*)\n"
    r"tags:(?P<tags>[^\n]*(?:\n(?!---|\.\.\.|[a-z_]+:)[^\n]*){0,4}?)\n"
    r"(?:---|\.\.\.)[ \t]*(?:\n|\Z)"
)
_BREAKS = re.compile("[ \t]*[\n\r\x85\u2028\u2029]+[ \t]*")

_KEY_LINE = re.compile(r"([\"']?)([^\s:\"'#\[\]{}<=>,-][^:\"'\n]{0,80})\1[ \t]*:(?:[ \t]+|$)")
_KNOWN_LINE = re.compile(rf"({'|'.join(sorted(READ_KEYS))}):")
_TIGHT_LINE = re.compile(r"([A-Za-z][\w-]{0,40}):(?!//)", re.ASCII)
_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)
_TWO_QUOTED = re.compile(r"(.)(?:(?!\1).)*\S\1\s.*\s\1\S(?:(?!\1).)*\1")
_MAX_RESCUED = 16_384  # characters; a longer front matter is rejected if it is not YAML


class ArchiveLines(Mapping):
    """The five values of the archive's own front matter; `body_at` is where the body starts in the file's text."""

    __slots__ = ("body_at", "issues")
    body_at: int
    issues: tuple[str, ...]


def archive_lines(text: str, start: int) -> ArchiveLines | None:
    """Read the five keys that the archive's crawler wrote, each as its line says. None if the form is another.

    Args:
        text: of the file.
        start: where the front matter starts in it.

    >>> post = '---\\nlayout: post\\ntitle: "A"鹰派"B"\\ndate: x\\ncategories: a\\ntags: b #c\\n---\\n'
    >>> archive_lines(post, 0)["title"], archive_lines(post, 0)["tags"]
    ('A"鹰派"B', 'b #c')
    """
    match = _ARCHIVE.match(text, start)
    if match is None:
        return None
    body_at = match.end()
    front = without_control(text[start:body_at])
    issues = ["control-characters"] if len(front) < body_at - start else []
    if issues:
        match = _ARCHIVE.match(front)
    raw = match["title"].strip(" \t\n") if match else ""
    if match is None or not raw.startswith('"') or (raw.count('"') > 1 and not raw.endswith('"')):
        return None  # the crawler did not write this; read it as YAML
    title = raw[1:-1] if len(raw) > 1 and raw.endswith('"') else raw[1:]
    found = ArchiveLines()
    for key in ("layout", "title", "date", "categories", "tags"):
        line = title if key == "title" else match[key].strip(" \t\n")
        named = line.lower() in ("~", "null")  # the crawler treats these words like any other name
        found[key] = Scalar(_BREAKS.sub(" ", line), plain=not named and key != "title")
        if named and key != "title":
            issues.append("value-not-text")
    if found["title"] != title:
        issues.append("title-multiline")
    try:
        root, _ = load_yaml(front)
    except (yaml.YAMLError, HostileYamlError):
        root = None
    if root != found:
        issues.append("front-matter-lenient")
    found.body_at = body_at
    found.issues = tuple(issues)
    return found


def rescue(front: str) -> tuple[Mapping, tuple[str, ...]] | None:
    """Read the known keys of a front matter that is not YAML, each from its own lines.

    The lines of each key are read as YAML; if they are not YAML either, they are taken as written.

    Args:
        front: the lines between the opening and the closing line.

    Returns:
        The values and the issues; None if it is not certain what the lines mean.

    >>> rescue("title: Rates: up again\\ntags: [a, b]\\n")[0]
    {'title': 'Rates: up again', 'tags': ['a', 'b']}
    """
    if len(front) > _MAX_RESCUED or _CONFLICT.search(front):
        return None
    groups: list[_Group] = []
    for line in front.split("\n"):
        key = _key(line, groups[-1] if groups else None)
        if key:
            groups.append(_Group(key[0], [key[1]]))
        elif groups:
            groups[-1].lines.append(line)
        elif line.strip() and not line.startswith("#"):
            return None
    found = Mapping()
    issues = ["front-matter-lenient"]
    for group in groups:
        value = _read_as_yaml(group)
        if value is None:
            if group.stray or (group is groups[-1] and _open_quote(group.lines[0])):
                return None  # perhaps this line is not part of the front matter
            value = _as_written(group, issues)
        if group.key in found:
            issues.append("duplicate-key")
        found[group.key] = value
    return (found, tuple(issues)) if not READ_KEYS.isdisjoint(found) else None


class _Group(NamedTuple):
    """A key, the rest of its line, and the lines up to the next key."""

    key: str
    lines: list[str]

    @property
    def stray(self) -> bool:
        """Whether one of its lines is not indented and is neither a list item nor a comment."""
        return any(line.strip() and not line.startswith((" ", "\t", "#", "- ")) for line in self.lines[1:])


def _key(line: str, before: _Group | None) -> tuple[str, str] | None:
    """The key that this line starts with, and the rest of the line; None if it does not start with a key."""
    match = _KEY_LINE.match(line)
    if match:
        return match[2].strip(), line[match.end() :]
    value = before.lines[0].strip() if before else "-"
    match = None if _open_quote(value) else _TIGHT_LINE.match(line)
    if match:  # there is no blank after the colon
        return match[1], line[match.end() :]
    if line.startswith((" ", "\t")) and (not value or value[0] in "|>[{\"'&"):
        return None  # it may be part of the value before
    match = _KNOWN_LINE.match(line.lstrip(" \t"))
    return (match[1], line.lstrip(" \t")[match.end() :].lstrip()) if match else None


def _open_quote(text: str) -> bool:
    text = text.strip()
    return text[:1] in ('"', "'") and text.count(text[0]) == 1


def _read_as_yaml(group: _Group) -> Value | None:
    """The value of one key, if its lines alone are YAML."""
    try:
        root, entries = load_yaml(f"{group.key}: " + "\n".join(group.lines))
    except (yaml.YAMLError, HostileYamlError):
        return None
    return entries[0].value if isinstance(root, Mapping) and len(entries) == 1 else None


def _as_written(group: _Group, issues: list[str]) -> Value:
    filled = [line.strip() for line in group.lines if line.strip()]
    text = " ".join(filled)
    if group.key == "title":
        joined = _BREAKS.sub(" ", text)
        if joined != text or len(filled) > 1:
            issues.append("title-multiline")
        return Scalar(_unquoted(joined), plain=False)
    if group.key in ("categories", "category", "tags", "tag"):
        items = [line[1:].strip() for line in filled if line.startswith("- ")]
        if items and group.lines[0].strip()[:1] in ("", "-"):
            return [Scalar(_unquoted(item), plain=False) for item in items]
        if text.startswith("["):
            items = [item.strip() for item in text.strip("[] \t").split(",")]
            return [Scalar(_unquoted(item), plain=False) for item in items if item]
    return Scalar(_unquoted(text), plain=True)


def _unquoted(text: str) -> str:
    quote = text[:1]
    if quote not in ('"', "'") or not quote or _TWO_QUOTED.fullmatch(text):
        return text
    if len(text) > 1 and text.endswith(quote):
        return text[1:-1].replace('\\"', '"') if quote == '"' else text[1:-1].replace("''", "'")
    return text[1:] if text.count(quote) == 1 else text
