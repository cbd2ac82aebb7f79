"""Read a site's `_config.yml`, and decide which files can be posts."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from ..schema import Site
from .front_matter_fields import FIELD_KEYS
from .permalinks import NO_PERMALINK
from .site_settings import SiteSettings, plain_value, read_settings
from .yaml_text import HostileYamlError, Mapping, Scalar, load_yaml

__all__ = [
    "CONFIGURATION",
    "DRAFT",
    "ELSEWHERE",
    "POST_FOLDERS",
    "READ_KEYS",
    "classify",
    "classify_all",
    "classify_folder",
    "default_values",
    "holds_collections",
    "post_name",
    "read_site",
    "site_of",
    "split_paths",
]

ELSEWHERE = "not below _posts"
"""Why a file is ignored that is in none of `POST_FOLDERS`."""
CONFIGURATION = "configuration"
"""Why the `_config.yml` of the site is ignored."""
DRAFT = "draft"
"""Why a draft is ignored, if drafts are not read."""
POST_FOLDERS = frozenset({"_posts", "old_post", "_drafts"})
"""Folders whose files can be posts."""

READ_KEYS = frozenset({"title", "date", "categories", "category", "tags", "tag", "published", "draft"})
"""The keys of the front matter that every post may have."""

_DEFAULT_KEYS = READ_KEYS | FIELD_KEYS

_TEXT_NAME = re.compile(r"\.(?:md|markdown|mkdown|mkdn|mkd|x?html|htm|txt|text)\Z", re.IGNORECASE)
_OTHER_NAME = re.compile(
    r"\.(?:png|jpe?g?|gif|webp|svgz?|bmp|ico|tiff?|avif|heic|psd|ai|eps"  # pictures
    r"|mp[34]|m4[av]|og[agv]|webm|wav|flac|avi|mov|swf"  # sound and film
    r"|pdf|docx?|xlsx?|pptx?|od[tsp]|epub|woff2?|ttf|otf|eot"  # documents and fonts
    r"|zip|t?gz|bz2|xz|zst|7z|rar|tar|jar|exe|dll|so|dylib|bin|db|sqlite|parquet|pyc|class|o)\Z",  # the rest
    re.IGNORECASE,
)
_PLAIN_NAME = r"^[A-Za-z0-9][^/]*\.(?:md|markdown|html)$"
_HIDDEN = ("_", ".", "#", "~")
_EXCLUDED = "excluded by _config.yml"
_NO_NAME = "not a post's name"
_GLOB_LETTERS = frozenset("*?[")
_VENDORED = frozenset({"vendor", "node_modules"})
_DATED_NAME = re.compile(r"(\d{2,4}-\d{1,2}-\d{1,2})-", re.ASCII)
_TIMEZONE_LINE = re.compile(r"^timezone[ \t]*:[ \t]*[\"']?([\w/+-]+)", re.ASCII | re.MULTILINE)
_TYPES = {"post": "posts", "page": "pages", "draft": "drafts"}  # Jekyll still accepts these old names


def post_name(path: str) -> tuple[str, str] | None:
    """The date and the slug of a file named `YYYY-MM-DD-slug.extension`, None if it is named otherwise.

    As in Jekyll, shorter years, months and days are allowed, and dots at the end of the slug are dropped.

    >>> post_name("_posts/2017-2-5-no-zeroes.md")
    ('2017-2-5', 'no-zeroes')
    """
    name = path.rpartition("/")[2]
    match = _DATED_NAME.match(name)
    if match is None:
        return None
    slug = name[match.end() :]
    stem, dot, suffix = slug.rpartition(".")
    return match[1], (stem if dot and suffix else slug).rstrip(".")


def classify(path: str, site: Site) -> str | None:
    """Why a file is not one of the archive's posts; None if it has to become a post or a reject.

    A file below `_posts` or `old_post` (or `_drafts`, if `site.drafts`) is a post if its name starts with a date or has
    the extension of Markdown, HTML or plain text. Hidden, backup and excluded names are left out, as by Jekyll's
    EntryFilter.

    Args:
        path: the file, relative to the site's root, with `/`.
        site: what `_config.yml` says.

    Returns:
        The reason, as the manifest has it.

    >>> classify("_posts/2020-02-01-hello.md", Site()), classify("_posts/2020-02-01-hello.png", Site())
    (None, 'not text')
    """
    *folders, name = path.split("/")
    at = next((i for i, folder in enumerate(folders) if folder in POST_FOLDERS), None)
    if at is None:
        return CONFIGURATION if path == "_config.yml" else ELSEWHERE
    if site.collections_dir and not path.startswith(f"{site.collections_dir}/"):
        return "not below collections_dir"
    above = folders[len(site.collections_dir.split("/")) if site.collections_dir else 0 : at]
    below = [*folders[at + 1 :], name]
    # Above `_posts`, Jekyll checks the name of every folder. Below it, only the first folder and the file itself; and
    # it never enters a folder with a dot at the start of its name.
    checked = [*above, below[0], name]
    if any(part.startswith(_HIDDEN) and part not in POST_FOLDERS for part in checked):
        return "hidden name"
    if any(part.startswith(".") for part in below):
        return "hidden name"
    if name.endswith(("~", ".")) or any(part.endswith("~") for part in above):
        return "backup name"
    if not _VENDORED.isdisjoint(above):
        return "vendored"
    if _excluded(path, site):
        return _EXCLUDED
    if folders[at] == "_drafts" and not site.drafts:
        return DRAFT
    if _OTHER_NAME.search(name):
        return "not text"
    if not _TEXT_NAME.search(name) and post_name(name) is None:
        return _NO_NAME
    return None


def classify_all(paths: pa.StringArray, site: Site) -> pa.StringArray:
    """`classify` of each path, in order; null for None.

    In one folder, all names that start with a letter or digit and have the extension of Markdown or HTML get the same
    answer, unless `exclude` names them. So `classify` is called once for each folder, and for each other name.

    >>> classify_all(pa.array(["_posts/a.md", "_posts/b.md", "_posts/c.png"]), Site()).to_pylist()
    [None, None, 'not text']
    """
    folders, names = split_paths(paths)
    plain = pc.match_substring_regex(names, _PLAIN_NAME)
    folders = folders.dictionary_encode()
    whole = replace(site, exclude=())
    of_folder = [classify(f"{folder}/a.md" if folder else "a.md", whole) for folder in folders.dictionary.to_pylist()]
    reasons = pa.array(of_folder, pa.string()).take(folders.indices)
    alone = pc.invert(plain)
    if site.exclude:  # `classify` checks it before it returns one of these two
        alone = pc.or_(alone, pc.or_(reasons.is_null(), pc.equal(reasons, DRAFT).fill_null(False)))
    own = pa.array([classify(path, site) for path in paths.filter(alone).to_pylist()], pa.string())
    return pc.replace_with_mask(reasons, alone, own)


def classify_folder(path: str, site: Site, *, link: bool) -> str | None:
    """Why no post can lie in a folder whose files are not listed; None if one may.

    Args:
        path: the folder, relative to the site's root, with `/`.
        site: what `_config.yml` says.
        link: whether it is a link that need not lead to a folder. One that stands outside of `POST_FOLDERS` counts as a
            file, except at or above the site's `collections_dir`. So does one with the name of a picture or of another file
            that is no text.

    >>> classify_folder("_posts/2020", Site(), link=True), classify_folder("blog", Site(), link=False)
    (None, None)
    >>> classify_folder("blog", Site(), link=True), classify_folder("_site", Site(), link=False)
    ('not below _posts', 'hidden name')
    """
    if link and (reason := classify(path, site)) not in (ELSEWHERE, _NO_NAME):
        return reason
    around = holds_collections(path, site)
    inside = f"{site.collections_dir}/" if around else f"{path}/"
    if (around or not link) and POST_FOLDERS.isdisjoint(inside.split("/")):
        inside += "_posts/"
    return classify(f"{inside}2000-01-01-a", site)


def holds_collections(path: str, site: Site) -> bool:
    """Whether a folder is the site's `collections_dir` or lies above it.

    >>> site = Site(collections_dir="content/all")
    >>> [holds_collections(path, site) for path in ("content", "content/all", "content/all/blog", "cont")]
    [True, True, False, False]
    """
    return bool(site.collections_dir) and f"{site.collections_dir}/".startswith(f"{path}/")


def site_of(path: str) -> str:
    """The folder that holds the `_posts` of a post; "" for the root.

    >>> site_of("blog/_posts/2022/a.md"), site_of("_posts/a.md")
    ('blog', '')
    """
    folders = path.split("/")[:-1]
    at = next((i for i, folder in enumerate(folders) if folder in POST_FOLDERS), 0)
    return "/".join(folders[:at])


def split_paths(paths: pa.StringArray) -> tuple[pa.StringArray, pa.StringArray]:
    """Split paths into folders ("" for none) and names.

    >>> [part.to_pylist() for part in split_paths(pa.array(["_posts/2022/a.md", "b.md"]))]
    [['_posts/2022', ''], ['a.md', 'b.md']]
    """
    parts = pc.split_pattern(paths, "/", max_splits=1, reverse=True)
    begins, ends = parts.offsets[:-1], parts.offsets[1:]
    alone = pc.equal(pc.subtract(ends, begins), 1)
    return pc.if_else(alone, "", parts.values.take(begins)), parts.values.take(pc.subtract(ends, 1))


def _excluded(path: str, site: Site) -> bool:
    if path.startswith(site.exclude):
        return True
    globs = [pattern for pattern in site.exclude if not _GLOB_LETTERS.isdisjoint(pattern)]
    if not globs:
        return False
    ends = [i for i, letter in enumerate(path) if letter == "/"]
    entries = [*(path[:end] for end in ends), path]
    return any(fnmatchcase(entry, pattern) for pattern in globs for entry in entries)


def default_values(path: str, site: Site) -> dict[str, object]:
    """The values that `defaults` in `_config.yml` sets for the post at `path`. Front matter overrides them.

    As in Jekyll, a set with a longer path overrides one with a shorter path, then a set with a type one without, then a
    later set an earlier one.

    >>> site = Site(defaults=(("a", "", {"tags": "x"}), ("", "posts", {"tags": "y"})))
    >>> default_values("a/_posts/2020-01-01-b.md", site), default_values("_posts/2020-01-01-b.md", site)
    ({'tags': 'x'}, {'tags': 'y'})
    """
    found: dict[str, object] = {}
    before: tuple[int, bool] | None = None
    if site.collections_dir:
        path = path.removeprefix(f"{site.collections_dir}/")
    for scope, kind, values in site.defaults:
        if kind not in ("", "posts") or not _applies(scope, path, site):
            continue
        scope = scope.strip("/") if scope.startswith("/") else scope
        if before is None or (len(scope), bool(kind)) >= before:
            found |= {key: value for key, value in values.items() if value is not None or key not in found}
            before = (len(scope), bool(kind))
        else:
            found = {**values, **{key: value for key, value in found.items() if value is not None}}
    return found


def _applies(scope: str, path: str, site: Site) -> bool:
    if site.collections_dir:
        scope = scope.removeprefix(f"{site.collections_dir}/")
    if "*" not in scope:
        return path.startswith(scope)
    ends = [i for i, letter in enumerate(path) if letter == "/"]
    pattern = _glob(scope)
    return any(pattern.fullmatch(entry) for entry in (*(path[:end] for end in ends), path))


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    """A pattern of Ruby's Dir.glob, as far as defaults use it: `*` and `?` in a name, `**/` for any folders.

    Every star of a name but the last, and every `**/` but the last, takes the first match (in an atomic group). Another
    match would not change the outcome, and trying them all would take exponential time.
    """
    first, *more = (
        "/".join(map(_name_glob, block.split("/"))) for block in re.split(r"(?:\A|(?<=/))(?:\*\*/)+", pattern)
    )
    atomic = "".join(f"(?>(?:[^/]++/)*?{block})" for block in more[:-1])
    return re.compile(first + atomic + "".join(f"(?:[^/]++/)*{block}" for block in more[-1:]))


def _name_glob(name: str) -> str:
    first, *more = ("[^/]".join(map(re.escape, piece.split("?"))) for piece in name.split("*"))
    atomic = "".join(f"(?>[^/]*?{piece})" for piece in more[:-1])
    return first + atomic + "".join(f"[^/]*{piece}" for piece in more[-1:])


def read_site(config: bytes | None, *, drafts: bool = False) -> tuple[Site, tuple[str, ...]]:
    """Read what `_config.yml` says about posts.

    Args:
        config: the bytes of the file, None if there is none. A broken file never raises an error.
        drafts: whether to read drafts even if the configuration does not ask for them.

    Returns:
        The site, and notes on what could not be used. The notes reach the manifest.

    >>> read_site(b"timezone: Asia/Shanghai")[0].timezone
    'Asia/Shanghai'
    >>> read_site(b"timezone: Beijing")[1]
    ('timezone: "Beijing" is no IANA time zone; UTC is taken',)
    """
    if config is None:
        return Site(drafts=drafts), ()
    notes: list[str] = []
    text = config.decode("utf-8-sig", errors="replace")
    if "\ufffd" in text:
        notes.append("_config.yml is not UTF-8; what cannot be read is left out")
    try:
        root, _ = load_yaml(text)
        values = root if isinstance(root, Mapping) else Mapping()
        if root is not None and not isinstance(root, Mapping):
            notes.append("_config.yml is no map; nothing in it is used")
    except (yaml.YAMLError, HostileYamlError) as error:
        line_number = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line_number is None else f" (line {line_number + 1})"
        notes.append(f"_config.yml cannot be read{where}; only timezone is used")
        line = _TIMEZONE_LINE.search(text)
        values = Mapping({"timezone": Scalar(line[1], plain=True)} if line else {})
        settings = SiteSettings(permalink=NO_PERMALINK)
    else:
        settings = read_settings(values)
    encoding = plain_value(values.get("encoding"))
    if isinstance(encoding, str) and encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        notes.append(f'encoding: "{encoding[:60]}" is not used; posts are read as UTF-8')
    folder = plain_value(values.get("collections_dir"))
    return Site(
        timezone=_timezone(plain_value(values.get("timezone")), notes),
        defaults=_defaults(values.get("defaults"), notes),
        drafts=drafts or plain_value(values.get("show_drafts")) is True,
        collections_dir=folder.strip("/") if isinstance(folder, str) else "",
        exclude=_patterns(plain_value(values.get("exclude")), notes),
        **settings._asdict(),
    ), tuple(notes)


def _timezone(name: object, notes: list[str]) -> str:
    if name is None or name == "":
        return "UTC"
    if isinstance(name, str) and name in _zone_names():
        return name
    notes.append(f'timezone: "{str(name)[:60]}" is no IANA time zone; UTC is taken')
    return "UTC"


@cache
def _zone_names() -> frozenset[str]:
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split())


def _patterns(value: object, notes: list[str]) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(pattern, str) for pattern in value):
        notes.append("exclude: it is no list of names; it is not used")
        return ()
    return tuple(pattern.lstrip("/") for pattern in value if pattern.strip("/"))


def _defaults(value: object, notes: list[str]) -> tuple[tuple[str, str, dict[str, object]], ...]:
    """The sets of `defaults`, with only the keys that are read."""
    found: list[tuple[str, str, dict[str, object]]] = []
    plain = plain_value(value)
    if plain is not None and not isinstance(plain, list):
        notes.append("defaults: it is no list; it is not used")
        return ()
    for number, one in enumerate(plain or (), 1):
        scope = one.get("scope", {}) if isinstance(one, dict) else None
        values = one.get("values") if isinstance(one, dict) else None
        if not isinstance(scope, dict | None) or not isinstance(values, dict):
            notes.append(f"defaults: entry {number} has no values, or a scope that is no map; it is not used")
            continue
        path, kind = (scope or {}).get("path"), (scope or {}).get("type")
        kind = _TYPES.get(kind, kind) if isinstance(kind, str) else ""
        kept = {key: one for key, one in values.items() if key in _DEFAULT_KEYS}
        found.append((path if isinstance(path, str) else "", kind, kept))
    return tuple(found) if any(values for _, _, values in found) else ()
