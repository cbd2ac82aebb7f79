"""The generated parts of the card.

Each is Markdown made from the manifest alone, and empty where the manifest has nothing for it. Values that come from
data are escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from ..counts import file_size, in_number, plural
from ..schema import columns, table_schema
from ..storage.manifest import Manifest, holds_text, shards_of
from .baselines import show_baselines
from .citation import Citation
from .cite import bibtex
from .contents import configs_of, content_digest, count_rows, days_of, splits_of, summarize
from .figures import show_accounting, show_details, show_duplicates, show_leakage, show_provenance
from .glance import show_charts, show_sample
from .markdown import counts_table, escape, join_blocks, percent, render_table
from .site_facts import is_first_archive

__all__ = ["CONFIG_MEANING", "SECTIONS"]

CONFIG_MEANING = {
    "articles": "one row for each article, merged from its posts",
    "posts": "one row for each file that was read, before merging",
    "rejects": "one row for each file that should be a post and could not be read, with the reason",
    "excluded": "articles that are in no split, with the reason",
    "origins": "one row for each source file that git named",
    "revisions": "one row for each content that a source file ever had, and each time it was taken away",
}
"""What the rows of each config are."""
_OF_FIRST_ARCHIVE = frozenset(
    {
        "digest_credit",
        "publisher",
        "media",
        "source",
        "mentions",
        "text_codes",
        "chart_symbol",
        "chart_symbols",
        "generation",
    }
)
"""The columns that no other site fills."""
_REASONS = {
    "no-date": "neither front matter nor file name gives a date",
    "straddle": "a near-copy is in an earlier split",
    "moved": "it would be in another split than in the version before",
    "gap": "its date is in the gap around a border",
    "old-test": "it, or a near-copy of it, was in `test` before the splits were cut anew",
}


def _summary(manifest: Manifest, citation: Citation) -> str:
    return escape(summarize(manifest), 1000)


def _quickstart(manifest: Manifest, citation: Citation) -> str:
    configs = configs_of(manifest)
    if not configs:
        return ""
    default = configs[0]
    first = splits_of(manifest, default)[0]
    lines = ["```python", "from datasets import load_dataset", ""]
    if citation.repository:
        lines += [f"where = {json.dumps(citation.repository)}"]
    else:  # `datasets` cannot open "."
        lines[1:1] = ["from pathlib import Path", ""]
        lines += ["where = str(Path.cwd())  # the folder that holds this file; a repository is downloaded first"]
    lines += [f'{first} = load_dataset(where, split="{first}")  # config "{default}" is the default']
    lines += [f'{config} = load_dataset(where, "{config}", split="{config}")' for config in configs[1:]]
    pinned = ["```python", "import newsdata", ""]
    pinned += [f'{first} = newsdata.load_dataset(where, split="{first}", revision="{manifest.dataset_version}")']
    exactly = "This loads exactly this version, checks its hashes, and fetches only the files of one split:"
    return join_blocks(["\n".join([*lines, "```"]), exactly, "\n".join([*pinned, "```"])])


def _splits(manifest: Manifest, citation: Citation) -> str:
    rows = []
    for config in configs_of(manifest):
        for split in splits_of(manifest, config):
            shards = shards_of(manifest, config, split)
            days = (days_of(manifest, split) if config == "articles" else None) or ("–", "–")
            count = count_rows(manifest, config, split)
            size = file_size(sum(shard.bytes for shard in shards))
            cells = (f"`{config}`", f"`{split}`", f"{count:,}", *map(escape, days), f"{len(shards):,}", size)
            rows.append(cells)
    meanings = [f"- `{config}`: {CONFIG_MEANING[config]}" for config in configs_of(manifest)]
    table = render_table(("Config", "Split", "Rows", "From", "To", "Files", "Size"), rows, right=(2, 5, 6))
    return join_blocks([table, "\n".join(meanings)])


def _rules(manifest: Manifest, citation: Citation) -> str:
    chosen = manifest.configuration
    days = {key: escape(chosen[key]) for key in ("validation_from", "test_from", "test_until") if chosen.get(key)}
    timezone = escape(chosen.get("timezone", "UTC"))
    if not days:
        borders = "There are no borders between splits: every article that has a date is in `train`."
        return join_blocks([borders, _excluded(manifest)])
    first = days.get("validation_from") or days.get("test_from") or days["test_until"]
    parts = [f"- `train`: before {first}"]
    if "validation_from" in days:
        until = f" until the day before {days['test_from']}" if "test_from" in days else ""
        parts.append(f"- `validation`: from {days['validation_from']}{until}")
    if "test_from" in days:
        until = f" to {days['test_until']}, inclusive" if "test_until" in days else ""
        parts.append(f"- `test`: from {days['test_from']}{until}")
    if "test_until" in days:
        parts.append(f"- `newer`: after {days['test_until']}; articles that arrived since, outside the fixed splits")
    gap = chosen.get("gap_days") or 0
    scheme = chosen.get("split_scheme")
    frozen = "Later versions keep these days, so scores on `test` stay comparable."
    if scheme is not None:
        frozen += f" This is split scheme {escape(scheme)}; another scheme would be a new major version."
    return join_blocks(
        [
            f"The day of an article decides its split, in the time zone {timezone}:",
            "\n".join(parts),
            "An article with a near-copy in an earlier split is excluded, so no group of near-copies is in two splits.",
            f"Articles within {plural(gap, 'day')} of a border are excluded, on both sides of it." if gap else "",
            frozen,
            _excluded(manifest),
        ]
    )


def _excluded(manifest: Manifest) -> str:
    counts = manifest.accounting.get("excluded_by_reason", {})
    return counts_table("Excluded because", counts, _REASONS, "Articles")


def _columns(manifest: Manifest, citation: Citation) -> str:
    timezone, version = str(manifest.configuration.get("timezone", "UTC")), manifest.schema_version
    parts = ["Filled is the share of the rows that have a value."] if configs_of(manifest) else []
    for config in configs_of(manifest):
        filled, rows = manifest.columns.get(config, {}), count_rows(manifest, config)
        meanings = columns(config, version)
        shown = list(table_schema(config, timezone, version))
        intro = f"`{config}`: {CONFIG_MEANING[config]}."
        if config == "excluded" and "articles" in configs_of(manifest):
            shown = [column for column in shown if column.name not in columns("articles", version)]
            intro = "`excluded` has the columns of `articles`, and:"
        table = [
            (
                f"`{column.name}`",
                _type(column.type),
                percent(filled[column.name], rows) if column.name in filled else "–",
                meanings[column.name].replace("|", "&#124;"),
            )
            for column in shown
        ]
        head = ("Column", "Type", "Filled", "Meaning")
        apart = [] if is_first_archive(manifest) else [row for row in table if row[0].strip("`") in _OF_FIRST_ARCHIVE]
        parts += [intro, render_table(head, [row for row in table if row not in apart], right=(2,))]
        if apart:
            parts += ["Only the first archive of newsdata has values in these:", render_table(head, apart, right=(2,))]
    return join_blocks(parts)


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_type(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "{" + ", ".join(part.name for part in kind) + "}"
    return "timestamp (ms)" if pa.types.is_timestamp(kind) else str(kind)


def _text(manifest: Manifest, citation: Citation) -> str:
    if holds_text(manifest):
        return ""
    return (
        "**This version holds no text.** Every field with the publisher's words is empty: titles, digests, credits, text, the"
        " words of mentions and captions, front matter, bodies, and excerpts of rejects. Ids, dates, slugs, hashes, offsets,"
        " kinds and codes are there. With a copy of the archive, `newsdata rehydrate DIR SOURCE OUT` makes the version with"
        " text; the hashes in this version prove that it is the same."
    )


def _changes(manifest: Manifest, citation: Citation) -> str:
    return "\n".join(_change(change) for change in reversed(manifest.changes))


def _change(change: Mapping[str, Any]) -> str:
    head = f"- **{escape(change.get('version', '?'))}**"
    bump = f" ({escape(change['bump'])})" if change.get("bump") else ""
    reasons = "; ".join(escape(in_number(str(reason))) for reason in change.get("reasons") or ())
    return f"{head}{bump}: {reasons}" if reasons else f"{head}{bump}"


def _citation(manifest: Manifest, citation: Citation) -> str:
    version, digest = manifest.dataset_version, content_digest(manifest)
    return "\n".join(
        [
            "```bibtex",
            bibtex(citation, manifest),
            "```",
            "",
            f"Name the version when you cite: {escape(citation.title)}, version {version} (tag `v{version}`),"
            f" content digest `{digest}`. A tag is never moved, so it gives the same rows at any time.",
        ]
    )


SECTIONS: Mapping[str, Callable[[Manifest, Citation], str]] = {
    "summary": _summary,
    "text": _text,
    "sample": show_sample,
    "charts": show_charts,
    "quickstart": _quickstart,
    "splits": _splits,
    "rules": _rules,
    "columns": _columns,
    "duplicates": show_duplicates,
    "leakage": show_leakage,
    "baselines": show_baselines,
    "accounting": show_accounting,
    "changes": _changes,
    "citation": _citation,
    "details": show_details,
    "provenance": show_provenance,
}
"""Every part that a card may mark: its name -> the function that renders it from manifest and citation."""
