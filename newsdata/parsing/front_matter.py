"""The front matter of a post: from its bytes to title, date, categories, tags and body.

Posts are read as Jekyll 4.3 reads them. What breaks Jekyll is read as the author meant it, or rejected. docs/jekyll.md
lists all intended differences.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from typing import NamedTuple

import yaml

from ..schema import InvalidByte, Reject, Site
from .dates import in_every_zone, local_time, read_date, site_zone
from .encodings import decode, has_c1
from .front_matter_fields import NO_FIELDS, SiteFields, Written, read_fields
from .front_matter_lines import archive_lines, rescue
from .front_matter_values import as_written, is_false, is_null, is_text, merged, names
from .invalid_bytes import invalid_bytes
from .site import POST_FOLDERS, default_values, post_name
from .yaml_text import HostileYamlError, Mapping, Scalar, load_yaml, without_control

__all__ = ["Header", "read_header"]


class Header(NamedTuple):
    """What the front matter of a post says, and the body.

    A named tuple, because it is made five times as fast as a frozen dataclass.

    Attributes:
        title: headline, as Jekyll reads it; "" if the archive has an empty one.
        published_at: in the site's time zone; None if neither front matter nor file name give a date.
        date_written: the date as written in the front matter, None if it has none.
        categories: as Jekyll reads them: the folders above `_posts`, `categories`, `category`; without repetition.
        tags: as Jekyll reads them.
        fields: what only posts of other sites say; empty for the archive's own feeds.
        published: False if the front matter says `published: false`.
        draft: whether it is a draft, by its folder or by `draft: true`.
        front_matter: the front matter as JSON, keys in written order, every scalar as its text.
        body: everything after the closing line, with LF line ends.
        invalid_bytes: the bytes of the file that became U+FFFD.
        body_line: the line of the file where the body starts, counted from 1.
        issues: codes of `newsdata.schema.ISSUES`, without repetition.
    """

    title: str
    published_at: datetime | None
    date_written: str | None
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    fields: SiteFields
    published: bool
    draft: bool
    front_matter: str
    body: str
    invalid_bytes: tuple[InvalidByte, ...]
    body_line: int
    issues: tuple[str, ...]


# The form of nearly every post of the archive, restricted to what YAML reads in the same way: the title has no
# escapes, line breaks or characters that YAML refuses, and category and tag are plain text.
_START = r"(?:[A-Za-z\u4e00-\u9fff]|[1-9]\d{0,3}[G-Zg-z\u4e00-\u9fff])"  # digits alone could be a number
_NAME = _START + r"[\w\u4e00-\u9fff()（）·&/.-]*(?: +[\w\u4e00-\u9fff()（）·&/.-]+)*"
_USUAL_FORM = re.compile(
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
_EXCERPT = 200  # characters
_EXCERPT_BLANKS = dict.fromkeys("\n\r\t", " ")


def read_header(data: bytes, path: str, site: Site, *, own_feed: bool) -> Header | Reject:
    """Read the front matter of the post at `path`.

    Args:
        data: the bytes of the file. No bytes make this function raise.
        path: the file, relative to the site's root, with `/`.
        site: what `_config.yml` says.
        own_feed: whether the archive's own feeds wrote the file. Then the category and the tag are one name each, and
            its five lines count as they are written, not as YAML reads them.

    >>> post = b"---\\ntitle: 1.10\\ntags: a b\\n---\\nText"
    >>> header = read_header(post, "x/_posts/2020-2-1-y.md", Site(), own_feed=False)
    >>> header.title, header.tags, header.categories, header.issues
    ('1.10', ('a', 'b'), ('x',), ('value-not-text', 'date-from-name'))
    """
    if own_feed and not site.defaults:
        header = _read_usual_form(data, path, site)
        if header is not None:
            return header
    file = _File(data, path, site, own_feed)
    if path.lower().endswith((".yml", ".yaml")):
        return _reject(file, "data-file", "the file ends in .yml or .yaml: Jekyll reads it as data, not as a post")
    text, codes, fault = decode(data)
    if fault is not None:
        return _reject(file, *fault, excerpt=text)
    try:
        return _read(file, text, [*codes])
    except HostileYamlError as error:
        return _reject(file, "front-matter-hostile", f"the front matter has {error}", excerpt=text)


class _File(NamedTuple):
    """The file that is read: the arguments of `read_header`."""

    data: bytes
    path: str
    site: Site
    own_feed: bool


def _read_usual_form(data: bytes, path: str, site: Site) -> Header | None:
    """Read the usual form of the archive's posts, in a few microseconds; None if this is another form."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    match = _USUAL_FORM.match(text)
    if match is None or b"\0" in data or (b"\xc2" in data and has_c1(text)):
        return None
    body = text[match.end() :]
    if "\r" in body:
        body = body.replace("\r\n", "\n")
    blank, title, date, offset, category, tag = match.groups()
    if (len(category) < 6 and category.lower() in _WORDS) or (len(tag) < 6 and tag.lower() in _WORDS):
        return None
    zone = site_zone(site.timezone)
    issues = _NONE
    try:
        if offset:
            written = f"{date} {offset}"
            published_at = in_every_zone(datetime.fromisoformat(date + offset)).astimezone(zone)
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
    folders, draft = (_NONE, False) if path.startswith(("_posts/", "old_post/")) else _categories_of_path(path, site)
    if draft:
        issues = (*issues, "draft")
    return Header(
        title,
        published_at,
        written,
        (*folders, category) if category not in folders else folders,
        (tag,),
        NO_FIELDS,
        True,
        draft,
        f'{{"layout": "post", "title": "{title}", "date": "{written}", "categories": "{category}", "tags": "{tag}"}}',
        body,
        (),
        8 + len(blank),
        issues,
    )


def _read(file: _File, text: str, issues: list[str]) -> Header | Reject:
    opening = _OPENING.match(text)
    if opening is None:
        return _read_without_front_matter(file, text, issues)
    start = opening.end(1)
    if start:
        issues.append("front-matter-leading-blank")
    own = archive_lines(text, start) if file.own_feed else None
    if own is not None:
        return _header(file, own, {}, text, own.body_at, [*issues, *own.issues])
    closing = _CLOSING.search(text, opening.end())
    if closing is None:
        return _read_without_front_matter(file, text, issues)
    front = without_control(text[start : closing.start()])
    if len(front) < closing.start() - start:
        issues.append("control-characters")
    fault = None
    try:
        root, entries = load_yaml(front)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        root, fault = None, (getattr(error, "problem", None) or str(error), mark.line if mark else 0)
    else:
        if root is None or (isinstance(root, Scalar) and is_false(root)):
            root = Mapping()
        if isinstance(root, Mapping):
            written = {entry.key: entry.written for entry in entries}
            if len(entries) > len(root):
                issues.append("duplicate-key")
            return _header(file, root, written, text, closing.end(), issues)
    # Keys without a blank after their colon are a scalar to YAML, so a scalar may be read line by line, too.
    saved = None if isinstance(root, list) else rescue(front.partition("\n")[2])
    if saved is not None:
        return _header(file, saved[0], {}, text, closing.end(), [*issues, *saved[1]])
    if fault is None:
        reason = (
            f"the front matter is a {'list' if isinstance(root, list) else 'single value'}, not lines of key: value"
        )
        return _reject(file, "front-matter-not-a-map", reason, line=2, excerpt=front[4:])
    lines = text.split("\n")
    at = min(text.count("\n", 0, start) + fault[1], len(lines) - 1)
    reason = f"the front matter is not YAML ({fault[0]}), and none of its lines has a known key"
    return _reject(file, "front-matter-unreadable", reason, line=at + 1, excerpt=lines[at])


def _read_without_front_matter(file: _File, text: str, issues: list[str]) -> Header | Reject:
    """A file without front matter is a post if its name says so, as for Jekyll."""
    if _OPENING.match(text) and _LOOKS_LIKE_KEY.match(text):
        reason = "the front matter has no closing line"
        return _reject(file, "front-matter-unclosed", reason, line=1, excerpt=text)
    if file.own_feed or post_name(file.path) is None or _LOST_OPENING.match(text):
        reason = "there is no front matter"
        return _reject(file, "front-matter-missing", reason, line=1, excerpt=text)
    return _header(file, Mapping(), {}, text, 0, [*issues, "front-matter-missing"])


def _reject(file: _File, rule: str, reason: str, *, line: int | None = None, excerpt: str = "") -> Reject:
    shown = "".join(c if c.isprintable() else _EXCERPT_BLANKS.get(c, "\ufffd") for c in excerpt[:_EXCERPT])
    return Reject(
        path=file.path,
        sha256=hashlib.sha256(file.data).hexdigest(),
        size=len(file.data),
        rule=rule,
        reason=reason,
        line=line,
        excerpt=shown or None,
    )


# --------------------------------------------------------------------------------------- values to fields


def _header(file: _File, root: Mapping, written: dict[str, str], text: str, body_at: int, issues: list[str]) -> Header:
    """The header of a file.

    Args:
        file: the file.
        root: the values of the front matter.
        written: of keys of `root`, the value as it is written in the file.
        text: of the file.
        body_at: where the body starts in `text`.
        issues: codes so far.
    """
    fields = default_values(file.path, file.site)
    preset = fields.pop("categories", None)
    fields |= {key: value for key, value in merged(root).items() if not is_null(value) or key not in fields}
    title = _title(file, fields.get("title"), written.get("title"), issues)
    published_at, date_written = _date(file, fields.get("date"), issues)
    split = not file.own_feed
    folders, draft = _categories_of_path(file.path, file.site)
    draft = draft or not is_false(fields.get("draft"))
    published = is_null(fields.get("published")) or not is_false(fields.get("published"))
    categories = [
        *folders,
        *names(preset, None, issues, split=split),
        *names(fields.get("categories"), written.get("categories"), issues, split=split),
        *names(fields.get("category"), written.get("category"), issues, split=False),
    ]
    if is_null(fields.get("tag")):
        tags = names(fields.get("tags"), written.get("tags"), issues, split=split)
    else:
        tags = names(fields["tag"], written.get("tag"), issues, split=False)
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
        NO_FIELDS if file.own_feed else _site_fields(file, fields, categories, published_at),
        published,
        draft,
        json.dumps(root, ensure_ascii=False),
        text[body_at:],
        invalid_bytes(file.data) if "encoding-invalid" in issues else (),
        1 + text.count("\n", 0, body_at),
        tuple(dict.fromkeys(issues)),
    )


def _site_fields(
    file: _File, values: dict[str, object], categories: list[str], published_at: datetime | None
) -> SiteFields:
    """What only the posts of other sites say; the arguments are those of the header so far."""
    named = post_name(file.path)
    is_draft = _categories_of_path(file.path, file.site)[1]
    name = file.path.rpartition("/")[2]
    slug = named[1] if named else (name.rpartition(".")[0] or name) if is_draft else None
    date = published_at if named or not is_null(values.get("date")) else None
    return read_fields(values, Written(file.path, slug, tuple(dict.fromkeys(categories)), date, is_draft), file.site)


def _title(file: _File, value: object, written: str | None, issues: list[str]) -> str:
    if value is None or (isinstance(value, Scalar) and value.plain and value in ("", "~")):
        if file.own_feed:  # the slug of these file names is a number, and no title
            issues.append("title-empty")
            return ""
        issues.append("title-from-slug")
        named = post_name(file.path)
        name = file.path.rpartition("/")[2]
        slug = named[1] if named else name.rpartition(".")[0] or name
        return " ".join(part.capitalize() for part in slug.rstrip(".").rstrip("-").split("-"))
    if not isinstance(value, str) or not is_text(value):
        issues.append("value-not-text")
    title = as_written(value, written)
    if not title.strip():
        issues.append("title-empty")
    return title


def _date(file: _File, value: object, issues: list[str]) -> tuple[datetime | None, str | None]:
    """The date of the front matter, else the day of the file name; and the date as written."""
    zone = site_zone(file.site.timezone)
    text = None if value is None else as_written(value, None)
    if text is not None:
        found, codes = read_date(text, zone, plain=not isinstance(value, Scalar) or value.plain)
        issues += codes
        if found is not None:
            return found, text
    else:
        issues.append("date-from-name")
    named = post_name(file.path)
    day = read_date(named[0], zone, plain=False)[0] if named else None
    if day is None:
        if "date-from-name" in issues:
            issues.remove("date-from-name")
        issues.append("date-missing")
    return day, text


def _categories_of_path(path: str, site: Site) -> tuple[tuple[str, ...], bool]:
    """The folders above `_posts`, which are categories; and whether the file is in `_drafts`."""
    if site.collections_dir:
        path = path.removeprefix(f"{site.collections_dir}/")
    folders = path.split("/")[:-1]
    at = next((i for i, folder in enumerate(folders) if folder in POST_FOLDERS), 0)
    return tuple(dict.fromkeys(folders[:at])), folders[at : at + 1] == ["_drafts"]
