"""What differs between two versions, and the version bump that the difference asks for (see `version_rule`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..schema import CONFIGS, columns
from .manifest import Manifest, Shard, shards_of
from .row_changes import KEYS, Change, ShardSet, compare_rows
from .version_rule import FROZEN_SPLITS, bump, highest

__all__ = ["Difference", "compare", "shards_of_one"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Everything that differs between two versions.

    Attributes:
        old, new: the versions.
        bump: "major", "minor", "patch", or None where nothing differs.
        reasons: why that bump, in words.
        changes: every row that differs.
        columns_added, columns_removed, columns_changed: `config.column`; changed means that the type is another one.
        configuration: settings and tools that differ: name -> (old, new).
        files: paths of other files of the version that differ.
    """

    old: str
    new: str
    bump: str | None
    reasons: tuple[str, ...]
    changes: tuple[Change, ...]
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_changed: tuple[str, ...] = ()
    configuration: Mapping[str, tuple[Any, Any]]
    files: tuple[str, ...] = ()

    def counts(self) -> dict[str, dict[str, int]]:
        """For each config the number of rows by kind of change."""
        found: dict[str, dict[str, int]] = {}
        for change in self.changes:
            of_config = found.setdefault(change.config, {})
            of_config[change.kind] = of_config.get(change.kind, 0) + 1
        return found


def compare(
    old_folder: Path, old: Manifest, new_folder: Path, new: Manifest, *, name_columns: bool = True
) -> Difference:
    """Compare two versions row by row.

    Shards with equal bytes are not opened. If the same tools made both versions with the same configuration, whole rows
    are read only where the files that they were made from, or the decisions of curation, differ.

    Args:
        old_folder, new_folder: where the shards are.
        old, new: the manifests.
        name_columns: whether to find the columns that changed in each row. Without it, rows that are known to differ are
            not read: a build saves time this way.

    Raises:
        VerifyError: a shard is missing or damaged.
    """
    columns_added, columns_removed = _columns_of_one(new, old), _columns_of_one(old, new)
    changes, columns_changed = _compare_tables(old_folder, old, new_folder, new, name_columns)
    settings = _differing(old.configuration, new.configuration)
    tools = {f"tools.{name}": versions for name, versions in _differing(old.tools, new.tools).items()}
    files = _differing_files(old, new)
    asked = [
        _bump_of_schema(old, new),
        bump(changes, columns_added, columns_removed, columns_changed, settings),
        _bump_of_words(old, new),
        _bump_of_revisions(old, new),
    ]
    level, reasons = highest(*(level for level, _ in asked)), tuple(why for _, reasons in asked for why in reasons)
    other = files or tools or settings or old.source != new.source or _compared_shards(old) != _compared_shards(new)
    if level is None and other:
        level, reasons = "patch", ("the same rows, other files",)
    return Difference(
        old=old.dataset_version,
        new=new.dataset_version,
        bump=level,
        reasons=reasons,
        changes=tuple(changes),
        columns_added=tuple(columns_added),
        columns_removed=tuple(columns_removed),
        columns_changed=tuple(columns_changed),
        configuration={**settings, **tools},
        files=files,
    )


def shards_of_one(manifest: Manifest, other: Manifest) -> list[Shard]:
    """The shards of a version that another one does not have with the same bytes: `compare` opens no others."""
    theirs = {*map(_identity, other.shards)}
    return [shard for shard in manifest.shards if _identity(shard) not in theirs]


# ---------------------------------------------------------------------------------------------------- rows


def _compare_tables(
    old_folder: Path, old: Manifest, new_folder: Path, new: Manifest, name_columns: bool
) -> tuple[list[Change], list[str]]:
    """The rows that differ, and `config.column` for each column that has another type."""
    changes: list[Change] = []
    retyped: list[str] = []
    unchanged = {*map(_identity, old.shards)} & {*map(_identity, new.shards)}
    for config in KEYS:
        configs = ("articles", "excluded") if config == "articles" else (config,)
        ours, theirs = (
            ShardSet(folder=folder, shards=[s for s in shards if s.config in configs and _identity(s) not in unchanged])
            for folder, shards in ((old_folder, old.shards), (new_folder, new.shards))
        )
        found, names = compare_rows(config, ours, theirs, same_rules=_same_rules(old, new), name_columns=name_columns)
        changes += found
        retyped += [f"{config}.{name}" for name in names]
    return changes, retyped


def _identity(shard: Shard) -> tuple[str, str, str]:
    return shard.config, shard.split, shard.sha256


def _same_rules(old: Manifest, new: Manifest) -> bool:
    """Whether both versions make the same rows from the same files."""
    return (
        old.tools == new.tools
        and old.schema_version == new.schema_version
        and old.configuration.get("site") == new.configuration.get("site")
        and bool(old.full) == bool(new.full)
    )


def _columns_of_one(manifest: Manifest, other: Manifest) -> list[str]:
    """`config.column` for each column that `other` lacks, in the configs that both have."""
    found = []
    for config in CONFIGS:
        ours, theirs = _columns(manifest, config), _columns(other, config)
        if theirs:
            found += [f"{config}.{column}" for column in ours if column not in theirs]
    return found


def _columns(manifest: Manifest, config: str) -> list[str]:
    return list(manifest.columns.get(config, {})) or (
        list(columns(config, manifest.schema_version)) if not manifest.columns else []
    )


# --------------------------------------------------------------------------------------- all but the rows


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The keys that have another value, or none, on one side: key -> (old, new)."""
    names = sorted(old.keys() | new.keys())
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _differing_files(old: Manifest, new: Manifest) -> tuple[str, ...]:
    if not new.files:  # the draft of a build: card and ledger are written after the comparison
        return ()
    hashes = ({file.path: file.sha256 for file in manifest.files} for manifest in (old, new))
    return tuple(_differing(*hashes))


def _compared_shards(manifest: Manifest) -> list[Shard]:
    """All shards but those of `origins`: another commit that holds the same files makes no new version."""
    return [shard for shard in manifest.shards if shard.config != "origins"]


def _bump_of_schema(old: Manifest, new: Manifest) -> tuple[str | None, list[str]]:
    """Level and reason if the tables of the new version have another major schema: then posts are read by other rules, too."""
    if old.schema_version.partition(".")[0] == new.schema_version.partition(".")[0]:
        return None, []
    return "major", [
        f"schema {new.schema_version}, was {old.schema_version}: other columns, and every post was read anew by the rules of "
        "now; the changelog of newsdata lists both"
    ]


def _bump_of_words(old: Manifest, new: Manifest) -> tuple[str | None, list[str]]:
    """Of two text-free versions, level and reasons for shards whose full build has other words.

    Their own rows are equal: only the hashes of the full build tell.
    """
    ours, theirs = ({shard.path: shard.digest for shard in manifest.shards} for manifest in (old, new))
    full_before, full_after = ({shard.path: shard.digest for shard in manifest.full} for manifest in (old, new))
    split_of = {shard.path: shard.split for shard in new.shards}
    paths = full_before.keys() & full_after.keys() & ours.keys() & split_of.keys()
    changed = [path for path in paths if ours[path] == theirs[path] and full_before[path] != full_after[path]]
    counts = sorted(Counter(split_of[path] for path in changed).items())
    level = highest(*("major" if split in FROZEN_SPLITS else "minor" for split, _ in counts))
    return level, [f"the words of {count} shards of {split} changed" for split, count in counts]


def _bump_of_revisions(old: Manifest, new: Manifest) -> tuple[str | None, list[str]]:
    """Level and reasons for the config `revisions`.

    Rows are only ever added at its end. Where earlier ones are gone, a query for what was known at some time would
    have another answer: that is a major change.
    """
    before, after = (shards_of(manifest, "revisions") for manifest in (old, new))
    if [shard.digest for shard in before] == [shard.digest for shard in after]:
        return None, []
    more = sum(shard.rows for shard in after) - sum(shard.rows for shard in before)
    now = {shard.path: shard for shard in after}
    earlier_kept = all(shard.path in now and now[shard.path].digest == shard.digest for shard in before[:-1])
    last_kept = all(shard.path in now and now[shard.path].rows >= shard.rows for shard in before[-1:])
    if earlier_kept and last_kept and more > 0:
        return "minor", [f"{more} rows added to revisions"]
    return "major", ["rows of revisions changed" if more >= 0 else f"{-more} rows of revisions removed"]
