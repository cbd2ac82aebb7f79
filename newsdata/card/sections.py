"""The generated parts of the card.

Each is Markdown made from the manifest alone, and empty where the manifest has nothing for it. Values that come from
data are escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from ..counts import file_size, in_number, plural
from ..schema import ISSUES, REJECT_RULES, columns, table_schema
from ..storage.manifest import Manifest, shards_of
from .citation import Citation
from .cite import bibtex
from .contents import configs_of, content_digest, count_rows, days_of, holds_text, splits_of, summarize
from .markdown import (
    code_span,
    escape,
    flatten,
    join_blocks,
    label_of,
    percent,
    render_table,
    show_value,
)

__all__ = ["SECTIONS"]

_CONFIG_MEANING = {
    "articles": "one row for each article; what its posts say together",
    "posts": "one row for each source file that could be read, before merging",
    "rejects": "one row for each file that should be a post and could not be read",
    "excluded": "articles that a rule had to set aside",
    "origins": "one row for each source file that git named",
    "revisions": "one row for each content that a source file ever had, and each time it was taken away",
}
_FEEDS = {
    "emnews": "the archive's annotated feed",
    "market": "the archive's feed by publisher",
    "site": "any other post",
}
_REASONS = {
    "no-date": "neither front matter nor file name give a date",
    "straddle": "a near-copy stands in an earlier split",
    "moved": "it would have moved to another split since the version before",
    "gap": "its date lies in the gap around a border",
}
_ACCOUNTING = {
    "files_seen": "files seen",
    "posts": "read as posts",
    "rejects": "rejected",
    "ignored": "ignored, because they are no posts, or were redacted",
    "articles": "articles",
    "merged_posts": "posts that were merged into another post's article",
    "excluded": "articles that were set aside (config `excluded`)",
}
_LEAKAGE = {
    "split": "Split",
    "against": "Against",
    "rows": "Rows",
    "leak_j50": "Jaccard ≥ 0.5",
    "leak_j80": "Jaccard ≥ 0.8",
    "leak_c80": "Containment ≥ 0.8",
    "leak_any": "Any pair found",
    "coverage_50gram": "Covered by 50-grams",
    "latest_seen": "Latest day there",
    "earliest_tested": "Earliest day here",
    "future_rows": "Rows there from later",
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
    exactly = "Exactly this version, its hashes checked, and only the files of one split fetched:"
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
    meanings = [f"- `{config}`: {_CONFIG_MEANING[config]}" for config in configs_of(manifest)]
    table = render_table(("Config", "Split", "Rows", "From", "To", "Files", "Size"), rows, right=(2, 5, 6))
    return join_blocks([table, "\n".join(meanings)])


def _rules(manifest: Manifest, citation: Citation) -> str:
    chosen = manifest.configuration
    days = {key: escape(chosen[key]) for key in ("validation_from", "test_from", "test_until") if chosen.get(key)}
    timezone = escape(chosen.get("timezone", "UTC"))
    if not days:
        borders = "There are no borders between splits: every article that has a date is in `train`."
        return join_blocks([borders, _set_aside(manifest)])
    first = days.get("validation_from") or days.get("test_from") or days["test_until"]
    parts = [f"- `train`: before {first}"]
    if "validation_from" in days:
        until = f" until the day before {days['test_from']}" if "test_from" in days else ""
        parts.append(f"- `validation`: from {days['validation_from']}{until}")
    if "test_from" in days:
        until = f" to {days['test_until']}, inclusive" if "test_until" in days else ""
        parts.append(f"- `test`: from {days['test_from']}{until}")
    if "test_until" in days:
        parts.append(f"- `newer`: after {days['test_until']}; what arrived since, outside the frozen splits")
    gap = chosen.get("gap_days") or 0
    scheme = chosen.get("split_scheme")
    frozen = "The days are frozen: later versions keep them, so that scores on `test` stay comparable."
    if scheme is not None:
        frozen += f" They are split scheme {escape(scheme)}; another scheme would be a new major version."
    return join_blocks(
        [
            f"An article's own date decides, as a day in {timezone}:",
            "\n".join(parts),
            "An article with a near-copy in an earlier split is set aside, so that no group of near-copies"
            " stands on two sides.",
            f"Articles dated within {plural(gap, 'day')} of a border are set aside, on both sides." if gap else "",
            frozen,
            _set_aside(manifest),
        ]
    )


def _set_aside(manifest: Manifest) -> str:
    counts = manifest.accounting.get("excluded_by_reason", {})
    return _counts("Set aside because", counts, _REASONS, "Articles")


def _counts(head: str, counts: Mapping[str, int], meanings: Mapping[str, str], unit: str) -> str:
    """A table of counts, with a column for the meanings of the keys where some are known; empty without counts."""
    filled = {key: count for key, count in counts.items() if count}
    known = any(key in meanings for key in filled)
    rows = [
        (code_span(key), *([meanings.get(key, "")] if known else []), f"{count:,}") for key, count in filled.items()
    ]
    return render_table((head, *(["Meaning"] if known else []), unit), rows, right=(2 if known else 1,))


def _columns(manifest: Manifest, citation: Citation) -> str:
    timezone, version = str(manifest.configuration.get("timezone", "UTC")), manifest.schema_version
    parts = []
    for config in configs_of(manifest):
        filled, rows = manifest.columns.get(config, {}), count_rows(manifest, config)
        meanings = columns(config, version)
        shown = list(table_schema(config, timezone, version))
        intro = f"`{config}`: {_CONFIG_MEANING[config]}."
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
        parts += [intro, render_table(("Column", "Type", "Filled", "Meaning"), table, right=(2,))]
    return join_blocks(parts)


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_type(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "{" + ", ".join(part.name for part in kind) + "}"
    return "timestamp (ms)" if pa.types.is_timestamp(kind) else str(kind)


def _charts(manifest: Manifest, citation: Citation) -> str:
    pictures = sorted(f.path for f in manifest.files if re.fullmatch(r"assets/[\w.-]+\.(svg|png)", f.path))
    return join_blocks(f"![{path[7:-4].replace('-', ' ').replace('_', ' ')}]({path})" for path in pictures)


def _accounting(manifest: Manifest, citation: Citation) -> str:
    counts = manifest.accounting
    rows = [(label, f"{counts[key]:,}") for key, label in _ACCOUNTING.items() if isinstance(counts.get(key), int)]
    return join_blocks(
        [
            render_table(("What", "Number"), rows, right=(1,)),
            _counts("Feed", counts.get("posts_by_feed", {}), _FEEDS, "Posts"),
            _counts("Rejected by rule", counts.get("rejects_by_rule", {}), REJECT_RULES, "Files"),
            _counts("Ignored", counts.get("ignored_by_reason", {}), {}, "Files"),
            _counts("Leniency (column `issues`)", counts.get("issues_by_code", {}), ISSUES, "Posts"),
            "\n".join(f"- {escape(note)}" for note in counts.get("config_notes", ())),
        ]
    )


def _duplicates(manifest: Manifest, citation: Citation) -> str:
    counted = {key: value for key, value in manifest.duplicates.items() if key not in ("method", "aliases")}
    rows = [(label_of(key), show_value(value)) for key, value in flatten(counted) if value is not None]
    if not rows:
        return ""
    return join_blocks(
        [
            "Near-copies are kept and named: articles that are near-copies of one another share a"
            " `duplicate_cluster`, and the wider `leak_group` also joins texts of which one holds most of the"
            " other. Both ids are frozen from the version on in which they first stand.",
            render_table(("What", "Value"), rows),
        ]
    )


def _leakage(manifest: Manifest, citation: Citation) -> str:
    if not manifest.leakage:
        return ""
    measured = [("this version", pair) for pair in manifest.leakage.get("pairs") or ()]
    measured += [("a random split", pair) for pair in manifest.leakage.get("random") or ()]
    keys = list(dict.fromkeys(key for _, pair in measured for key in pair))
    if not keys:
        return ""
    keys.sort(key=lambda key: list(_LEAKAGE).index(key) if key in _LEAKAGE else len(_LEAKAGE))
    header = ["How", *(_LEAKAGE.get(key) or label_of(key) for key in keys)]
    rows = [(how, *(_measure(pair.get(key)) for key in keys)) for how, pair in measured]
    numbers = [1 + n for n, key in enumerate(keys) if not any(isinstance(p.get(key), str) for _, p in measured)]
    examples = list(manifest.leakage.get("examples") or ()) if holds_text(manifest) else []
    return join_blocks(
        [
            "Share of the rows of a split that have a near-copy in the split it is held against, at several"
            " thresholds; a random split of equal size shows what cutting by date and setting near-copies"
            " aside is worth. No leak at a threshold is not no leak at all: an article that stands in"
            " another one more than three times as long is no pair, and shows in the passages of 50 units only.",
            render_table(header, rows, right=numbers),
            "The closest pairs that were kept apart by setting one of them aside, to look at:" if examples else "",
            "\n".join(f"- {_example(example)}" for example in examples),
        ]
    )


def _measure(value: object) -> str:
    return percent(value, 1) if isinstance(value, float) and 0 <= value <= 1 else show_value(value)


def _example(example: object) -> str:
    if not isinstance(example, Mapping):
        return escape(example)
    texts = [
        f"{label_of(key)} {code_span(value, 120) if isinstance(value, str) else show_value(value)}"
        for key, value in flatten(example)
        if value not in (None, "")
    ]
    return "; ".join(texts)


def _text(manifest: Manifest, citation: Citation) -> str:
    if holds_text(manifest):
        return ""
    return (
        "**This build holds no text.** Every field that carries the publisher's words is blank: titles,"
        " digests, credits, text, the words of mentions and captions, raw front matter and bodies, and"
        " excerpts of rejects. What stays are ids, dates, slugs, hashes, offsets, kinds and codes. Whoever"
        " has the archive makes the full build from it, equal to the hashes stored here, with"
        " `newsdata rehydrate DIR SOURCE OUT`."
    )


def _provenance(manifest: Manifest, citation: Citation) -> str:
    facts: dict[str, object] = {"version": manifest.dataset_version, "built upon": manifest.follows}
    facts |= {f"source {key}": value for key, value in flatten(manifest.source)}
    facts |= {"schema": manifest.schema_version, "manifest": manifest.manifest_version}
    rows = [(label_of(key), show_value(value)) for key, value in facts.items() if value is not None]
    rows += [(label_of(key), show_value(value)) for key, value in flatten(manifest.configuration) if value is not None]
    rows += [(escape(tool), show_value(version)) for tool, version in manifest.tools.items()]
    return render_table(("What", "Value"), rows)


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
    "quickstart": _quickstart,
    "splits": _splits,
    "charts": _charts,
    "columns": _columns,
    "rules": _rules,
    "leakage": _leakage,
    "duplicates": _duplicates,
    "accounting": _accounting,
    "provenance": _provenance,
    "changes": _changes,
    "citation": _citation,
}
"""Every part that a card may mark: its name -> the function that renders it from manifest and citation."""
