"""README.md, the card of a version, made from `dataset_card.md` and the manifest.

`dataset_card.md` is the curator's prose with a YAML header. Comments in it steer the result:

- `<!-- newsdata:columns --><!-- /newsdata:columns -->` marks a generated part; text between the two is replaced. The
  names are the keys of `SECTIONS`.
- `<!-- newsdata:if feeds=emnews,market -->` … `<!-- /newsdata:if -->`, each on its own line (in the header
  `# newsdata:if …`), mark lines that are kept only if the version has posts of one of these feeds. `text=none` and
  `text=full` ask whether the version holds text. Several conditions, with a blank between them, must all hold.
  `newsdata:unless` is the opposite.
- Any other comment is the curator's own and stays.

A heading with nothing below it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from ..errors import CallError, DriftError
from ..schema import CONFIGS, SPLITS, columns, features_json, table_schema
from ..storage.manifest import Manifest, shards_of
from .citation import Citation, check_citation, citation_facts, read_citation
from .contents import configs_of, content_digest, splits_of
from .metadata import check_metadata, read_yaml, size_category
from .sections import SECTIONS
from .site_facts import with_site

__all__ = [
    "CARD_NAME",
    "card_facts",
    "check_card",
    "citation_of",
    "generate_header",
    "read_card",
    "read_own_card",
    "render_card",
]

CARD_NAME = "dataset_card.md"
"""In a version's folder: the curator's own card, if the version was not made with the one that newsdata brings."""

_MARKED = re.compile(r"<!-- newsdata:([\w-]+) -->(.*?)<!-- /newsdata:\1 -->", re.DOTALL)
_MARKER = re.compile(r"<!-- (/?)newsdata:([\w-]+) -->")
_CONDITION = re.compile(r"(?:<!--|#) newsdata:(if|unless)((?: \w+=[\w,-]+)+)(?: -->)?")
_CONDITION_END = re.compile(r"(?:<!--|#) /newsdata:(if|unless)(?: -->)?")
_HEADER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CARD_HINT = "`newsdata card --template` prints a card to begin with: a YAML header, then Markdown"
_GENERATED = ("size_categories", "configs", "dataset_info")


def render_card(card_text: str, manifest: Manifest, *, name: str) -> str:
    """README.md of a version.

    Args:
        card_text: text of `dataset_card.md`, see the module's docstring.
        manifest: of the version.
        name: the title of the dataset, if the card has none.

    Raises:
        DriftError: the card has wrong markers or a wrong header, or the resulting header breaks the rules of the Hub, or
            those of `citation`.
    """
    text, faults = _apply_conditions(card_text, manifest)
    header, body, header_faults = _split_header(text)
    faults += [*header_faults, *_marker_faults(body)]
    _raise_if_any(faults, "the card cannot be used")
    header, body = with_site(header, body, manifest)
    header = {key: value for key, value in header.items() if key not in _GENERATED} | generate_header(manifest)
    yaml_text = yaml.safe_dump(header, allow_unicode=True, sort_keys=False, width=1000)
    _raise_if_any(
        (*check_metadata(yaml_text, [shard.path for shard in manifest.shards]), *check_citation(header)),
        "the header breaks the rules",
    )
    citation = read_citation(header, name)
    body = _MARKED.sub(lambda match: SECTIONS[match[1]](manifest, citation), body)
    return f"---\n{yaml_text}---\n\n{_tidy(_drop_empty_sections(body))}\n"


def read_card(path: str | Path | None = None) -> str:
    """The text of a curator's card, or of the one that newsdata brings if `path` is None.

    Raises:
        CallError: the file cannot be read, is not UTF-8, has no header, or has wrong markers.

    >>> read_card().splitlines()[1]
    'pretty_name: Jekyll news archive'
    """
    # In a source tree this is a link to the file at the top level, in a wheel a copy of it.
    file = Path(__file__).with_name(CARD_NAME) if path is None else Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CallError(f"the card cannot be read: {error}", path=path, hint="give a Markdown file in UTF-8") from None
    if path is not None:
        always, faults = _apply_conditions(text, None)
        header, body, header_faults = _split_header(always)
        if faults := [*faults, *header_faults, *_marker_faults(body), *check_citation(header)]:
            raise CallError(
                "; ".join(dict.fromkeys(faults)),
                path=path,
                hint=_CARD_HINT,
            )
    return text


def read_own_card(path: str | Path) -> str:
    """The text of a curator's card whose header keeps the rules of the Hub, as far as that can be told without a version.

    Raises:
        CallError: it does not, or as for `read_card`. A header with conditions is complete only in a version, and
            `render_card` checks that one.
    """
    text = read_card(path)
    header, _, _ = _split_header(text)
    if not re.search(r"^\s*# newsdata:", text.partition("\n---")[0], re.MULTILINE):
        own = {key: value for key, value in header.items() if key not in _GENERATED}
        if faults := check_metadata(yaml.safe_dump(own, allow_unicode=True)):
            raise CallError("; ".join(faults), path=path, hint=_CARD_HINT)
    return text


def card_facts(readme: str) -> dict[str, Any]:
    """Name, language, tags, licence and citation from a version's README.md.

    Keys: `pretty_name`, `license`, `license_name`, `license_link` and `citation` (BibTeX), None if missing; `language`
    and `tags`, lists; and those of `citation.citation_facts`.

    >>> card_facts("---\\nlicense: mit\\nlanguage: zh\\n---\\n")["license"]
    'mit'
    """
    header, body, _ = _split_header(readme)
    citation = re.search(r"^```bibtex\n(.*?)^```", body, re.DOTALL | re.MULTILINE)
    facts = {key: header.get(key) for key in ("pretty_name", "license", "license_name", "license_link")}
    lists = {key: header.get(key) or [] for key in ("language", "tags")}
    lists = {key: value if isinstance(value, list) else [value] for key, value in lists.items()}
    return {**facts, **lists, **citation_facts(header), "citation": citation[1].strip() if citation else None}


def citation_of(readme: str, name: str) -> Citation:
    """The citation in the header of a version's README.md; `name` is the title, if the header has none.

    >>> citation_of("---\\nyear: 2022\\n---\\n", "news").year
    2022
    """
    return read_citation(_split_header(readme)[0], name)


def check_card(card_text: str, manifest: Manifest) -> tuple[str, ...]:
    """Every difference between `dataset_card.md` and the data; empty if they agree.

    It finds markers that are missing, unknown or doubled; generated parts and header keys that differ from the data;
    columns in the prose that do not exist; and a header that breaks the Hub's rules. A code span of the prose counts as
    the name of a column if it is snake_case with an underscore, or has the form `config.column` or `column.field`.

    Args:
        card_text: text of `dataset_card.md`, see the module's docstring.
        manifest: of the version.
    """
    text, faults = _apply_conditions(card_text, manifest)
    header, body, header_faults = _split_header(text)
    faults += [*header_faults, *_marker_faults(body)]
    whole = _split_header(_keep_all(card_text))[1]
    marked = {match[1] for match in _MARKED.finditer(whole)}
    faults += [f"the marker {name} is missing" for name in SECTIONS if name not in marked]
    generated = generate_header(manifest)
    for key in _GENERATED:
        if key in header and header[key] != generated.get(key):
            faults.append(f"{key}: differs from the data; remove it, it is generated")
    for name, content in _MARKED.findall(body):
        if name not in SECTIONS or not content.strip():
            continue
        if content.strip() != SECTIONS[name](manifest, read_citation(header)):
            faults.append(f"the part {name} differs from the data; empty it, it is generated")
    faults += _unknown_names(_MARKED.sub("", whole), manifest)
    if not header_faults:
        header = {key: value for key, value in header.items() if key not in _GENERATED}
        faults += [*check_metadata(yaml.safe_dump(header, allow_unicode=True)), *check_citation(header)]
    return tuple(dict.fromkeys(faults))


def _raise_if_any(faults: list[str] | tuple[str, ...], reason: str) -> None:
    if faults:
        raise DriftError(f"{reason}: {'; '.join(faults)}", path="dataset_card.md", faults=tuple(faults))


# ----------------------------------------------------------------------------------------------- conditions


def _apply_conditions(card_text: str, manifest: Manifest | None) -> tuple[str, list[str]]:
    """The lines whose conditions hold, and what is wrong with the conditions.

    Without a manifest no condition holds: only the lines that every version has are kept.
    """
    lines: list[str] = []
    faults: list[str] = []
    kept, inside = True, ""
    for number, line in enumerate(card_text.splitlines(), 1):
        start, end = _CONDITION.fullmatch(line.strip()), _CONDITION_END.fullmatch(line.strip())
        if start:
            if inside:
                faults.append(f"line {number}: conditions cannot be nested")
            inside = start[1]
            tests = [test.partition("=") for test in start[2].split()]
            known = {key: _values_of_condition(key, manifest) for key, _, _ in tests}
            faults += [f"line {number}: no such condition: {key}" for key in known if known[key] is None]
            holds = all((known[key] or set()) & set(wanted.split(",")) for key, _, wanted in tests)
            kept = manifest is not None and holds == (inside == "if")
        elif end:
            if end[1] != inside:
                faults.append(f"line {number}: ends a condition that was not begun")
            kept, inside = True, ""
        elif kept:
            lines.append(line)
    if inside:
        faults.append(f"a condition has no end: {inside}")
    return "\n".join(lines), faults


def _values_of_condition(key: str, manifest: Manifest | None) -> set[str] | None:
    """The values that a condition is compared with, None for an unknown key."""
    if key not in ("feeds", "text"):
        return None
    if manifest is None:
        return set()
    if key == "feeds":
        return {feed for feed, posts in manifest.accounting.get("posts_by_feed", {}).items() if posts}
    return {str(manifest.configuration.get("text", "full"))}


def _keep_all(card_text: str) -> str:
    return "\n".join(
        line
        for line in card_text.splitlines()
        if not _CONDITION.fullmatch(line.strip()) and not _CONDITION_END.fullmatch(line.strip())
    )


# -------------------------------------------------------------------------------------------------- header


def _split_header(text: str) -> tuple[dict[str, Any], str, list[str]]:
    """Header, body, and what is wrong with the header."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    match = _HEADER.match(text)
    if not match:
        return {}, text, ["there is no YAML header between two lines `---`"]
    header, faults = read_yaml(match[1])
    return header, text[match.end() :], faults


def generate_header(manifest: Manifest) -> dict[str, Any]:
    """The keys of the YAML header that follow from the manifest: `size_categories`, and `configs` and `dataset_info` if
    there are rows."""
    configs = configs_of(manifest)
    rows = sum(shard.rows for shard in shards_of(manifest, "articles"))
    header: dict[str, Any] = {"size_categories": [size_category(rows)]}
    if configs:
        header["configs"] = [_config(manifest, config, default=config == configs[0]) for config in configs]
        header["dataset_info"] = _dataset_info(manifest, configs)
    return header


def _config(manifest: Manifest, config: str, *, default: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"config_name": config}
    if default:
        entry["default"] = True
    # The description is part of the key of `datasets`' cache. With the digest in it, rewritten rows of the same version
    # are never taken from an old cache.
    version = manifest.dataset_version
    return entry | {
        "version": version,
        "description": f"{config} of version {version}, content {content_digest(manifest, config)}",
        "data_files": [
            {"split": split, "path": _pattern(manifest, config, split)} for split in splits_of(manifest, config)
        ],
    }


def _pattern(manifest: Manifest, config: str, split: str) -> str | list[str]:
    """One pattern if it matches the files of the split and no others, else the list of files."""
    paths = [shard.path for shard in shards_of(manifest, config, split)]
    pattern = f"{config}/{split}-*.parquet"
    matched = [shard.path for shard in manifest.shards if fnmatchcase(shard.path, pattern)]
    return pattern if matched == paths else paths


def _dataset_info(manifest: Manifest, configs: list[str]) -> list[dict[str, Any]]:
    """The same as `datasets` writes for these features and splits (a test compares), without importing it for a second."""
    timezone, version = str(manifest.configuration.get("timezone", "UTC")), manifest.schema_version
    infos = []
    for config in configs:
        splits = []
        for split in splits_of(manifest, config):
            shards = shards_of(manifest, config, split)
            # Bytes on disk: the size in memory is not known without reading the rows.
            size, rows = sum(s.bytes for s in shards), sum(s.rows for s in shards)
            splits.append({"name": split, "num_bytes": size, "num_examples": rows})
        size = sum(shard.bytes for shard in shards_of(manifest, config))
        infos.append(
            {
                "config_name": config,
                "features": [_yaml_feature(name, f) for name, f in features_json(config, timezone, version).items()],
                "splits": splits,
                "download_size": size,
                "dataset_size": size,
            }
        )
    return infos


def _yaml_feature(name: str, feature: dict[str, Any]) -> dict[str, Any]:
    if feature["_type"] == "Value":
        return {"name": name, "dtype": feature["dtype"]}
    item = feature["feature"]
    if item.get("_type") == "Value":
        return {"name": name, "list": item["dtype"]}
    return {"name": name, "list": [_yaml_feature(key, value) for key, value in item.items()]}


# ---------------------------------------------------------------------------------------------------- body


def _marker_faults(body: str) -> list[str]:
    faults = []
    opened: str | None = None
    seen: set[str] = set()
    for slash, name in _MARKER.findall(body):
        if name not in SECTIONS:
            faults.append(f"the marker {name} is unknown; there are: {', '.join(SECTIONS)}")
        elif slash:
            if opened != name:
                faults.append(f"the marker {name} is closed but not open")
            opened = None
        else:
            if opened:
                faults.append(f"the marker {opened} is not closed")
            if name in seen:
                faults.append(f"the marker {name} is there twice")
            seen.add(name)
            opened = name
    return faults + ([f"the marker {opened} is not closed"] if opened else [])


def _unknown_names(prose: str, manifest: Manifest) -> Iterator[str]:
    known = {*CONFIGS, *SPLITS, *manifest.configuration}
    tops = set(CONFIGS)
    for config in CONFIGS:
        meanings = columns(config, manifest.schema_version)
        known |= {*meanings, *(f"{config}.{column}" for column in meanings)}
        tops |= meanings.keys()
        for column in table_schema(config, version=manifest.schema_version):
            kind = getattr(column.type, "value_type", column.type)
            for part in kind if pa.types.is_struct(kind) else ():
                known |= {part.name, f"{column.name}.{part.name}"}
    from markdown_it import MarkdownIt  # only here: most runs of a daily build write no card

    spans = [
        child.content
        for token in MarkdownIt("commonmark").enable("table").parse(prose)
        for child in token.children or ()
        if child.type == "code_inline"
    ]
    for span in dict.fromkeys(spans):
        dotted = re.fullmatch(r"([a-z_]+)\.[a-z_]+", span)
        named = re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", span) or (dotted and dotted[1] in tops)
        if named and span not in known:
            yield f"the prose names `{span}`, which is not a column"


def _drop_empty_sections(body: str) -> str:
    """`body` without the headings that have nothing below them."""
    from markdown_it import MarkdownIt

    lines = body.splitlines()
    headings = [
        (token.map[0], token.map[1], int(token.tag[1:]))
        for token in MarkdownIt("commonmark").parse(body)
        if token.type == "heading_open" and token.map and token.level == 0
    ]
    next_level = 0  # of the next heading that stays; a deeper one belongs to this section
    for number in range(len(headings) - 1, -1, -1):
        start, after, level = headings[number]
        end = headings[number + 1][0] if number + 1 < len(headings) else len(lines)
        own = _COMMENT.sub("", "\n".join(lines[after:end])).strip()
        if own or next_level > level or level == 1:
            next_level = level
        else:
            del lines[start:end]
    return "\n".join(lines)


def _tidy(body: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", body).strip()
