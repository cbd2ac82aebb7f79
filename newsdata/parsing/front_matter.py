"""The front matter of a post: bytes to title, date, categories, tags and body.

What Jekyll 4.3 reads is read as Jekyll reads it; what breaks Jekyll is read as it was meant, or rejected. The
differences that are meant are listed in docs/jekyll.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from typing import NamedTuple

import yaml

from ..schema import Reject, Site
from .dates import local_time, read_date, site_zone
from .front_matter_lines import archive_lines, rescue
from .site import POST_FOLDERS, default_values, post_name
from .yaml_text import Alias, HostileYamlError, Mapping, Scalar, load_yaml, without_control

__all__ = ["Header", "read_header"]


class Header(NamedTuple):
    """What the front matter of a post says, and its body.

    A named tuple, because making one takes a fifth of the time that a frozen dataclass takes.

    Attributes:
        title: headline, as Jekyll reads it; "" where the archive has an empty one.
        published_at: the instant, in the site's zone; None where neither front matter nor name give one.
        date_written: the date as the front matter has it, None where it has none.
        categories: as Jekyll reads them: folders above `_posts`, `categories`, `category`; none twice.
        tags: as Jekyll reads them.
        published: False where the front matter says `published: false`.
        draft: whether it is a draft, by its folder or by `draft: true`.
        front_matter: the front matter as JSON, keys in written order, every scalar as its text.
        body: everything after the closing line, with LF line ends.
        body_line: the line of the file that the body starts in, counted from 1.
        issues: codes of `ISSUES`, without repetition.
    """

    title: str
    published_at: datetime | None
    date_written: str | None
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    published: bool
    draft: bool
    front_matter: str
    body: str
    body_line: int
    issues: tuple[str, ...]


# The form that nearly every post of the archive has, as far as YAML reads it in the same way: a title in
# double quotes without escapes, line breaks and characters that YAML refuses, and names that are plain text.
_START = r"(?:[A-Za-z\u4e00-\u9fff]|[1-9]\d{0,3}[G-Zg-z\u4e00-\u9fff])"  # digits alone could be a number
_NAME = _START + r"[\w\u4e00-\u9fff()（）·&/.-]*(?: +[\w\u4e00-\u9fff()（）·&/.-]+)*"
_QUICK = re.compile(
    r"(\n*)---\nlayout: post\n"
    r'title: "([^"\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]*)"\n'
    r"date: ([12]\d{3}-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d)(?: (\+0\d[0-5]\d))?\n"
    rf"categories: ({_NAME})\ntags: ({_NAME})\n---(?:\n|\Z)"
)
_WORDS = frozenset({"yes", "no", "true", "false", "on", "off", "null"})
_NONE: tuple[str, ...] = ()

_OPENING = re.compile(r"(\s*)---[ \t\r\f\v]*\n", re.ASCII)
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t\r\f\v]*$\n?", re.MULTILINE)
_LOOKS_LIKE_KEY = re.compile(
    r"\s*(?:---[^\n]*\n\s*)?[\"']?\w[\w -]{0,60}[\"']?[ \t]{0,60}:(?:[ \t]|$)", re.ASCII | re.MULTILINE
)
_LOST_OPENING = re.compile(r"\s*(?:layout|title|date|categories|tags|author|permalink)[ \t]*:", re.ASCII)
_BLANKS = re.compile(r"[ \t\n\v\f\r]+")
# What YAML 1.1, as Psych knows it, takes for a number, a truth value, a date, a time or nothing.
_NOT_TEXT = re.compile(
    r"""~|null|yes|no|true|false|on|off
      | [-+]?(?:0b[01_,]+|0x[\da-f_,]+|\d[\d_,]*)
      | [-+]?(?=\.?\d)(?:\d[\d_,]*)?\.\d*(?:e[-+]\d+)?
      | [-+]?\.inf|\.nan
      | [-+]?\d[\d_]*(?::[0-5]?\d){1,2}(?:\.[\d_]*)?
      | \d{4}-\d{1,2}-\d{1,2}(?:(?:t|\ +)\d{1,2}:\d\d:\d\d.*)?""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_MOST_NAMES = 10_000
_DEEPEST_MERGE = 16
_EXCERPT = 200


def read_header(data: bytes, path: str, site: Site, *, own_feed: bool) -> Header | Reject:
    """Read the front matter of the post at `path`.

    Args:
        data: the file's bytes; whatever they are, nothing is raised.
        path: the file, relative to the site's root, with `/`.
        site: what `_config.yml` says.
        own_feed: whether the archive's own feeds wrote it; then one category and one tag are one name each,
            and its five lines count, not what YAML makes of them.

    >>> post = b"---\\ntitle: 1.10\\ntags: a b\\n---\\nText"
    >>> header = read_header(post, "x/_posts/2020-2-1-y.md", Site(), own_feed=False)
    >>> header.title, header.tags, header.categories, header.issues
    ('1.10', ('a', 'b'), ('x',), ('value-not-text', 'date-from-name'))
    """
    if own_feed and not site.defaults:
        header = _quick(data, path, site)
        if header is not None:
            return header
    if path.lower().endswith((".yml", ".yaml")):
        return _reject(data, path, "data-file", "Jekyll reads a file with this extension as data")
    text, issues, fault = _decode(data)
    if fault is not None:
        return _reject(data, path, *fault, excerpt=text)
    try:
        return _read(text, path, site, own_feed, issues, data)
    except HostileYamlError as error:
        return _reject(data, path, "front-matter-hostile", f"the front matter holds {error}", excerpt=text)


def _quick(data: bytes, path: str, site: Site) -> Header | None:
    """The archive's usual form, in a few microseconds; None for any other."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    match = _QUICK.match(text)
    if match is None or b"\r" in data or b"\0" in data:
        return None
    blank, title, date, offset, category, tag = match.groups()
    if (len(category) < 6 and category.lower() in _WORDS) or (len(tag) < 6 and tag.lower() in _WORDS):
        return None
    zone = site_zone(site.timezone)
    issues = _NONE
    try:
        if offset:
            written = f"{date} {offset}"
            published_at = datetime.fromisoformat(date + offset).astimezone(zone)
        else:
            written = date
            published_at = local_time(datetime.fromisoformat(date), zone)
            issues = ("date-without-zone",)
    except (ValueError, OverflowError):
        return None
    if not title.strip():
        issues = ("title-empty", *issues)
    if blank:
        issues = ("front-matter-leading-blank", *issues)
    folders, draft = (_NONE, False) if path.startswith(("_posts/", "old_post/")) else _from_path(path, site)
    if draft:
        issues = (*issues, "draft")
    return Header(
        title,
        published_at,
        written,
        (*folders, category) if category not in folders else folders,
        (tag,),
        True,
        draft,
        f'{{"layout": "post", "title": "{title}", "date": "{written}", "categories": "{category}", "tags": "{tag}"}}',
        text[match.end() :],
        8 + len(blank),
        issues,
    )


def _decode(data: bytes) -> tuple[str, list[str], tuple[str, str] | None]:
    """The text with LF line ends, the issues, and the rule and reason of a reject, if it is one."""
    issues: list[str] = []
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            return "", issues, ("encoding", "it starts like UTF-16 but cannot be read as such")
        issues.append("encoding-utf-16")
    else:
        text = data.decode(errors="replace")
        if text.startswith("\ufeff"):
            text = text[1:]
            issues.append("bom")
        lost = text.count("\ufffd") - data.count(b"\xef\xbf\xbd") if "\ufffd" in text else 0
        if lost > 1 + len(text) // 100:
            return text, issues, ("encoding", f"{lost:,} places are not UTF-8")
        if lost:
            issues.append("encoding-invalid")
    if "\0" in text:
        zeros = text.count("\0")
        if zeros * 20 > len(text):
            blank = not text.replace("\0", "").strip()
            reason = "only zero bytes" if blank else "every twentieth character or more is a zero byte"
            return "", issues, ("empty" if blank else "encoding", f"it has {reason}")
        text = text.replace("\0", "")
        issues.append("control-characters")
    if not text or text.isspace():
        return "", issues, ("empty", "the file has no text")
    text = text.replace("\r\n", "\n")
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
        issues.append("line-ends")
    return text, issues, None


def _read(text: str, path: str, site: Site, own_feed: bool, issues: list[str], data: bytes) -> Header | Reject:
    opening = _OPENING.match(text)
    if opening is None:
        return _bare(text, path, site, own_feed, issues, data)
    start = opening.end(1)
    if start:
        issues.append("front-matter-leading-blank")
    own = archive_lines(text, start) if own_feed else None
    if own is not None:
        issues += own.issues
        line = 1 + text.count("\n", 0, own.body_at)
        return _header(own, {}, text[own.body_at :], line, path, site, own_feed, issues)
    closing = _CLOSING.search(text, opening.end())
    if closing is None:
        return _bare(text, path, site, own_feed, issues, data)
    front = without_control(text[start : closing.start()])
    if len(front) < closing.start() - start:
        issues.append("control-characters")
    line = 1 + text.count("\n", 0, closing.end())
    body = text[closing.end() :]
    written: dict[str, str] = {}
    fault = None
    try:
        root, entries = load_yaml(front)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        root, fault = None, (getattr(error, "problem", None) or str(error), mark.line if mark else 0)
    else:
        if root is None or (isinstance(root, Scalar) and _is_false(root)):
            root = Mapping()
        if isinstance(root, Mapping):
            written = {entry.key: entry.written for entry in entries}
            if len(entries) > len(root):
                issues.append("duplicate-key")
            return _header(root, written, body, line, path, site, own_feed, issues)
    # A scalar can be keys without a blank behind their colon.
    saved = None if isinstance(root, list) else rescue(front.partition("\n")[2])
    if saved is not None:
        return _header(saved[0], {}, body, line, path, site, own_feed, [*issues, *saved[1]])
    if fault is None:
        reason = f"the front matter is a {'list' if isinstance(root, list) else 'scalar'}"
        return _reject(data, path, "front-matter-not-a-map", reason, line=2, excerpt=front[4:])
    lines = text.split("\n")
    at = min(text.count("\n", 0, start) + fault[1], len(lines) - 1)
    reason = f"the front matter is neither YAML ({fault[0]}) nor lines with known keys"
    return _reject(data, path, "front-matter-unreadable", reason, line=at + 1, excerpt=lines[at])


def _bare(text: str, path: str, site: Site, own_feed: bool, issues: list[str], data: bytes) -> Header | Reject:
    """A file without front matter: a post where its name says so, as for Jekyll."""
    if _OPENING.match(text) and _LOOKS_LIKE_KEY.match(text):
        reason = "the front matter has no closing line"
        return _reject(data, path, "front-matter-unclosed", reason, line=1, excerpt=text)
    if own_feed or post_name(path) is None or _LOST_OPENING.match(text):
        reason = "there is no front matter"
        return _reject(data, path, "front-matter-missing", reason, line=1, excerpt=text)
    return _header(Mapping(), {}, text, 1, path, site, own_feed, [*issues, "front-matter-missing"])


_SHOWN = dict.fromkeys("\n\r\t", " ")


def _reject(
    data: bytes, path: str, rule: str, reason: str, *, line: int | None = None, excerpt: str | None = None
) -> Reject:
    shown = "".join(c if c.isprintable() else _SHOWN.get(c, "\ufffd") for c in (excerpt or "")[:_EXCERPT])
    return Reject(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        rule=rule,
        reason=reason,
        line=line,
        excerpt=shown or None,
    )


# --------------------------------------------------------------------------------------- values to fields


def _header(
    root: Mapping,
    written: dict[str, str],
    body: str,
    body_line: int,
    path: str,
    site: Site,
    own_feed: bool,
    issues: list[str],
) -> Header:
    fields = default_values(path, site)
    preset = fields.pop("categories", None)
    fields |= {key: value for key, value in _merged(root, 0, {}).items() if not _is_null(value) or key not in fields}
    title = _title(fields.get("title"), written.get("title"), path, own_feed, issues)
    published_at, date_written = _date(fields, path, site, issues)
    split = not own_feed
    folders, draft = _from_path(path, site)
    draft = draft or not _is_false(fields.get("draft"))
    published = _is_null(fields.get("published")) or not _is_false(fields.get("published"))
    categories = [
        *folders,
        *_names(preset, None, issues, split=split),
        *_names(fields.get("categories"), written.get("categories"), issues, split=split),
        *_names(fields.get("category"), written.get("category"), issues, split=False),
    ]
    if _is_null(fields.get("tag")):
        tags = _names(fields.get("tags"), written.get("tags"), issues, split=split)
    else:
        tags = _names(fields["tag"], written.get("tag"), issues, split=False)
    if not published:
        issues.append("unpublished")
    if draft:
        issues.append("draft")
    return Header(
        title,
        published_at,
        date_written,
        tuple(dict.fromkeys(categories)),
        tuple(tags),
        published,
        draft,
        json.dumps(root, ensure_ascii=False),
        body,
        body_line,
        tuple(dict.fromkeys(issues)),
    )


def _merged(root: Mapping, depth: int, known: dict[int, dict[str, object]]) -> dict[str, object]:
    """The map with its `<<` keys carried out, in written order, as Psych does it."""
    if depth > _DEEPEST_MERGE:
        raise HostileYamlError("merge keys that lead on and on")
    if id(root) not in known:
        fields: dict[str, object] = {}
        for key, value in root.items():
            value = _target(value)
            if key != "<<":
                fields[key] = value
                continue
            for source in map(_target, reversed(value) if isinstance(value, list) else [value]):
                if isinstance(source, Mapping):
                    fields |= _merged(source, depth + 1, known)
        known[id(root)] = fields
    return known[id(root)]


def _target(value: object) -> object:
    return value.target if isinstance(value, Alias) else value


def _is_null(value: object) -> bool:
    return value is None or (isinstance(value, Scalar) and value.plain and value.lower() in ("", "~", "null"))


def _is_false(value: object) -> bool:
    """Whether Ruby takes it for false."""
    if isinstance(value, Scalar):
        return value.plain and value.lower() in ("", "~", "null", "false", "no", "off")
    return value is None or value is False


def _is_text(value: str) -> bool:
    return not (isinstance(value, Scalar) and value.plain and _NOT_TEXT.fullmatch(value))


def _title(value: object, written: str | None, path: str, own_feed: bool, issues: list[str]) -> str:
    if value is None or (isinstance(value, Scalar) and value.plain and value in ("", "~")):
        if own_feed:  # the slug of the archive's own names is a number
            issues.append("title-empty")
            return ""
        issues.append("title-from-slug")
        named = post_name(path)
        slug = named[1] if named else path.rpartition("/")[2].rpartition(".")[0] or path.rpartition("/")[2]
        return " ".join(part.capitalize() for part in slug.rstrip(".").rstrip("-").split("-"))
    if not isinstance(value, str) or not _is_text(value):
        issues.append("value-not-text")
    title = str(value) if isinstance(value, str) else _as_written(value, written)
    if not title.strip():
        issues.append("title-empty")
    return title


def _date(fields: dict[str, object], path: str, site: Site, issues: list[str]) -> tuple[datetime | None, str | None]:
    zone = site_zone(site.timezone)
    value = fields.get("date")
    text = None if value is None else str(value) if isinstance(value, str) else _as_written(value, None)
    if text is not None:
        found, codes = read_date(text, zone, plain=not isinstance(value, Scalar) or value.plain)
        issues += codes
        if found is not None:
            return found, text
    else:
        issues.append("date-from-name")
    named = post_name(path)
    day = read_date(named[0], zone, plain=False)[0] if named else None
    if day is None:
        if "date-from-name" in issues:
            issues.remove("date-from-name")
        issues.append("date-missing")
    return day, text


def _from_path(path: str, site: Site) -> tuple[tuple[str, ...], bool]:
    """The folders above `_posts`, which are categories, and whether the path is a draft's."""
    if site.collections_dir:
        path = path.removeprefix(f"{site.collections_dir}/")
    folders = path.split("/")[:-1]
    at = next((i for i, folder in enumerate(folders) if folder in POST_FOLDERS), 0)
    return tuple(dict.fromkeys(folders[:at])), folders[at : at + 1] == ["_drafts"]


def _names(value: object, written: str | None, issues: list[str], *, split: bool) -> list[str]:
    """Categories or tags: a string split at blanks, or a list as it is."""
    if _is_null(value):
        return []
    if isinstance(value, str) and _is_text(value):
        if not split:
            return [str(value)]
        return [name for name in _BLANKS.split(value) if name]
    if not isinstance(value, list):
        issues.append("value-not-text")
        return [_as_written(value, written)]
    names: list[str] = []
    waiting = [value[::-1]]
    seen = 0
    while waiting:
        if not waiting[-1]:
            waiting.pop()
            continue
        one = _target(waiting[-1].pop())
        seen += 1
        if seen > _MOST_NAMES:
            raise HostileYamlError(f"more than {_MOST_NAMES:,} names")
        if isinstance(one, list):
            waiting.append(one[::-1])
            issues.append("value-not-text")
        elif not _is_null(one):
            if not isinstance(one, str) or not _is_text(one):
                issues.append("value-not-text")
            names.append(_as_written(one, None))
    return names


def _as_written(value: object, written: str | None) -> str:
    if isinstance(value, str):
        return str(value)
    return written if written and not written.startswith("*") else json.dumps(value, ensure_ascii=False)
