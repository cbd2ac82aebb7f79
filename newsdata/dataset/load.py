"""A built version, read: rows for modelling, and what is known about them."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CallError, VerifyError, VersionError
from ..schema import CONFIGS, features
from ..storage.manifest import (
    Manifest,
    Shard,
    check_file,
    hash_file,
    parse_version,
    read_manifest,
    read_yanked,
    shards_of,
    versions_in,
)

if TYPE_CHECKING:
    import datasets
    import pandas as pd

    from ..storage.difference import Difference
    from .hub import Resolved
    from .near_copies import Cluster

__all__ = ["Where", "diff", "duplicates", "info", "load_dataset", "load_pandas", "open_version", "where"]

_SLICE = re.compile(r"(?P<split>\w+)(?:\[(?P<begin>[^:\]]*):(?P<end>[^:\]]*)\])?")


def open_version(path: str | Path, revision: str | None = None) -> tuple[Path, Manifest]:
    """The folder of a version and its manifest.

    Args:
        path: the folder of one version, or the folder that holds versions.
        revision: "1.0.0" or "v1.0.0", a range such as "1.*" (the newest of it), or None for the newest. A yanked version
            is opened only when exactly it is named.

    Raises:
        VersionError: there is no such version, or only yanked ones; the message lists those that are there.
    """
    folder = Path(path)
    wanted = revision.removeprefix("v") if revision else None
    wanted = None if wanted == "*" else wanted
    if (folder / "manifest.json").is_file():
        manifest = read_manifest(folder)
        if wanted and not _matches(manifest.dataset_version, wanted):
            raise VersionError(f"this folder holds {manifest.dataset_version}, not {revision}", path=folder)
        return folder, manifest
    there = versions_in(folder)
    if not there and not folder.exists() and (beside := versions_in(folder.parent)):
        raise VersionError("there is no such version", path=folder, hint=f"there are: {', '.join(beside)}")
    if not there:
        raise VersionError("there is no dataset here", path=folder, hint="build one: newsdata build SOURCE OUT")
    found = [v for v in there if wanted is None or _matches(v, wanted)]
    if not found:
        raise VersionError(f"there is no version {revision}", path=folder, hint=f"there are: {', '.join(there)}")
    if wanted is None or wanted.endswith(".*"):
        yanked = {v: reason for v in found if (reason := read_yanked(folder / v)) is not None}
        if len(yanked) == len(found):
            listed = "; ".join(f"{v}: {reason}" for v, reason in yanked.items())
            raise VersionError(f"every version was yanked ({listed})", path=folder, hint="name one exactly to open it")
        found = [v for v in found if v not in yanked]
    return folder / found[-1], read_manifest(folder / found[-1])


def _matches(version: str, wanted: str) -> bool:
    if wanted.endswith(".*"):
        return version.startswith(wanted[:-1])
    parse_version(wanted)
    return version == wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """A version and how to get at its files: in `folder`, or on a hub."""

    manifest: Manifest
    folder: Path
    resolved: Resolved | None = None

    def files(self, shards: Sequence[Shard], *, streaming: bool) -> list[str]:
        """Where to read the shards from, after checking them; only these are fetched, and none for streaming."""
        paths = [shard.path for shard in shards]
        if self.resolved is None:
            for shard in shards:
                _check(self.folder, shard.path, shard.bytes, shard.sha256)
            return [str(self.folder / path) for path in paths]
        if streaming and not self.resolved.offline:
            return [f"hf://datasets/{self.resolved.repo_id}@{self.resolved.commit}/{path}" for path in paths]
        from .hub import fetch

        folder = fetch(self.resolved, paths)
        return [str(folder / path) for path in paths]


_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)


def _find_version(path: str | Path, revision: str | None) -> _Version:
    """A version in a folder; on a hub where there is no such folder and the path has the form owner/name.

    A version that is not there, of a folder that holds others, is no repository either.
    """
    if _REPOSITORY.fullmatch(str(path)) and not Path(path).exists() and not versions_in(Path(path).parent):
        from .hub import fetch, resolve

        resolved = resolve(str(path), revision)
        folder = fetch(resolved, ["README.md"])
        return _Version(manifest=read_manifest(folder), folder=folder, resolved=resolved)
    folder, manifest = open_version(path, revision)
    return _Version(manifest=manifest, folder=folder)


def load_dataset(
    path: str | Path,
    name: str | None = None,
    *,
    split: str | None = None,
    revision: str | None = None,
    streaming: bool = False,
    columns: Iterable[str] | None = None,
    as_of: str | datetime | None = None,
    deduplicate: bool = False,
) -> datasets.DatasetDict | datasets.Dataset | datasets.IterableDatasetDict | datasets.IterableDataset:
    """Like `datasets.load_dataset`, for one exact version, whose files are checked against its manifest.

    Rows that are streamed from a hub are not checked: a hash is known of whole files only.

    Args:
        path: the folder of a version, the folder that holds versions, or a dataset repository of a hub ("owner/name").
        name: config: "articles" (default), "posts", "rejects", "excluded", "origins" or "revisions".
        split: one split, slices included ("test", "train[:1000]", "test[10%:20%]"); None gives all of them. A split
            without rows is empty and has its columns.
        revision: "1.0.0", "v1.0.0" or a range such as "1.*"; None is the newest.
        streaming: read rows when they are asked for.
        columns: only these; the others are not read from the files.
        as_of: an instant with its zone ("2022-03-01T09:30+08:00"): what was known then, as rows of `revisions`, one an
            article, from a version built with `history=True`. Each post counts as its last commit up to then left it;
            one that was taken away or could not be read does not count; of an article's other posts the one that was
            revised last speaks, of several one with title and date, of these the first by path. There is no split: cut
            by `published_at`.
        deduplicate: keep one article a duplicate cluster, over all that is loaded: the earliest (undated ones come
            last), of these the one with the longest text, of these the first by article id.

    Raises:
        VersionError: no such version; the message lists those that are there.
        CallError: no such config, split or column; no clusters to keep one of; no revisions, or no zone, for `as_of`.
        VerifyError: a file is not what the manifest says.
        HubError: the hub is out of reach and this very version is not in the cache, or it refuses.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     titles = load_dataset(out, split="test", revision="1.0.0", columns=["title"])
    >>> titles.column_names
    ['title']
    """
    version = _find_version(path, revision)
    manifest = version.manifest
    if version.resolved is None and (reason := read_yanked(version.folder)) is not None:
        warnings.warn(f"{manifest.dataset_version} was yanked: {reason}", UserWarning, stacklevel=2)
    config = name or ("articles" if as_of is None else "revisions")
    if as_of is not None:
        _check_as_of(manifest, config, split, streaming)
    if config not in CONFIGS:
        raise CallError(f"there is no config {config!r}", hint=f"there are: {', '.join(CONFIGS)}")
    if deduplicate and (config not in ("articles", "excluded") or as_of is not None):
        raise CallError(f"there are no duplicate clusters in the config {config!r}", field="deduplicate")
    import datasets

    kinds = features(config, str(manifest.configuration["timezone"]))
    if columns is not None:
        columns = columns if isinstance(columns, str) else list(columns)
        if isinstance(columns, str) or not columns:
            raise CallError(f"{columns!r} names no columns", field="columns", hint='give a list: columns=["title"]')
        unknown = [c for c in columns if c not in kinds]
        if unknown:
            raise CallError(f"there is no column {', '.join(unknown)}", hint=f"there are: {', '.join(kinds)}")
        kinds = datasets.Features({c: kinds[c] for c in columns})
    # A part of the name under which `datasets` keeps the rows: files of the same path and time may hold others.
    content = hashlib.sha256("".join(shard.sha256 for shard in manifest.shards).encode()).hexdigest()
    config_name = f"{config}-{manifest.dataset_version}-{content[:16]}"
    if as_of is not None:
        part = _parts(manifest, config, config)[0]
        files = version.files(part.shards, streaming=False)
        rows = _load_part(files, part, kinds, False, config_name)
        return _of_version(rows.select(_known_at(files, _instant(as_of))), manifest)
    parts = _parts(manifest, config, None if split is None else _named(split))
    every = [version.files(part.shards, streaming=streaming) for part in parts]
    if deduplicate:
        loaded = _load_first(every, parts, kinds, streaming, config_name)
    else:
        loaded = [
            _load_part(files, part, kinds, streaming, config_name) for files, part in zip(every, parts, strict=True)
        ]
    if split is None:
        kind = datasets.IterableDatasetDict if streaming else datasets.DatasetDict
        return kind({part.split: _of_version(rows, manifest) for part, rows in zip(parts, loaded, strict=True)})
    return _of_version(loaded[0] if len(loaded) == 1 else datasets.concatenate_datasets(loaded), manifest)


def _of_version(rows: Any, manifest: Manifest) -> Any:
    """The rows, with the version where `datasets` has it: for the log of an experiment."""
    import datasets

    rows.info.version = datasets.Version(manifest.dataset_version)
    return rows


def _named(split: object) -> str:
    """A split as it was asked for: a string, or what `datasets` has instead of one."""
    import datasets

    if isinstance(split, str | datasets.NamedSplit):
        return str(split)
    raise CallError(f"{split!r} is not the name of a split", field="split", hint='several in one are "train+test"')


def _check_as_of(manifest: Manifest, config: str, split: str | None, streaming: bool) -> None:
    if config != "revisions" or split not in (None, "revisions") or streaming:
        raise CallError(
            "as_of gives rows of the config revisions, all at once",
            field="as_of",
            hint="leave out name, split and streaming",
        )
    if not shards_of(manifest, "revisions"):
        raise CallError(
            f"{manifest.dataset_version} has no config revisions, so what was known at a time is not known",
            field="as_of",
            hint="build it from a git repository: newsdata build REPO@REVISION OUT --history",
        )


def _instant(as_of: str | datetime) -> datetime:
    try:
        time = as_of if isinstance(as_of, datetime) else datetime.fromisoformat(as_of)
    except (ValueError, TypeError):
        raise CallError(f"{as_of!r} is no time", field="as_of", hint="write 2022-03-01T09:30+08:00") from None
    if time.tzinfo is None:
        raise CallError(f"{as_of} has no zone", field="as_of", hint="write 2022-03-01T09:30+08:00") from None
    return time


def _known_at(files: Sequence[str], time: datetime) -> list[int]:
    """The numbers of the rows of `revisions` that held at `time`, one an article; reads no text."""
    import pyarrow.parquet as pq

    last: dict[str, tuple[int, int, str, int]] = {}
    before = 0
    for file in files:
        table = pq.ParquetFile(file).read(["article_id", "path", "revised_at", "title", "published_at"])
        revised = table["revised_at"].cast("int64").to_pylist()
        dated = table["published_at"].is_valid().to_pylist()
        # What a row says: -1 where the post was taken away or could not be read, else how much of title and date.
        says = [-1 if t is None else bool(t) + d for t, d in zip(table["title"].to_pylist(), dated, strict=True)]
        names = zip(table["article_id"].to_pylist(), table["path"].to_pylist(), strict=True)
        for number, (identity, path) in enumerate(names):
            if revised[number] <= time.timestamp() * 1000:  # rows stand in the order of the commits: the last one holds
                last[path] = revised[number], says[number], identity, before + number
        before += table.num_rows
    chosen: dict[str, tuple[int, int, int]] = {}
    for path in sorted(last):
        when, said, identity, row = last[path]
        if said >= 0 and (identity not in chosen or (when, said) > chosen[identity][:2]):
            chosen[identity] = when, said, row
    return sorted(row for _, _, row in chosen.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Rows `begin` to `end` of the shards, which are those of one split that the slice touches."""

    split: str
    shards: tuple[Shard, ...]
    begin: int
    end: int


def _parts(manifest: Manifest, config: str, split: str | None) -> list[_Part]:
    """What `split` asks for, by the row counts of the manifest.

    Raises:
        CallError: it names no split, or is no slice.
    """
    parts = []
    for text in [*CONFIGS[config]] if split is None else split.split("+"):
        match = _SLICE.fullmatch(text.strip())
        if not match or match["split"] not in CONFIGS[config]:
            raise CallError(f"there is no split {split!r}", hint=f"there are: {', '.join(CONFIGS[config])}")
        shards = shards_of(manifest, config, match["split"])
        rows = sum(shard.rows for shard in shards)
        begin, end = (_bound(match[side], rows, side) for side in ("begin", "end"))
        touched: list[Shard] = []
        before, first = 0, begin
        for shard in shards:
            if before < end and before + shard.rows > begin:
                first = first if touched else begin - before
                touched.append(shard)
            before += shard.rows
        parts.append(_Part(split=match["split"], shards=tuple(touched), begin=first, end=first + max(0, end - begin)))
    return parts


def _load_part(files: Sequence[str], part: _Part, kinds: datasets.Features, streaming: bool, config_name: str) -> Any:
    """The rows of a part, whose shards lie in `files`."""
    import datasets

    one = part.split
    if not part.shards:
        if streaming:
            return datasets.IterableDataset.from_generator(_nothing, features=kinds, split=datasets.NamedSplit(one))
        return datasets.Dataset.from_dict({c: [] for c in kinds}, features=kinds, split=one)
    whole = (part.begin, part.end) == (0, sum(shard.rows for shard in part.shards))
    if streaming and not whole:
        # Each file knows its own rows of the slice: `skip` and `take` would count anew in every worker.
        ends = list(accumulate(shard.rows for shard in part.shards))
        begins = [end - shard.rows for end, shard in zip(ends, part.shards, strict=True)]
        spans = [(max(part.begin - a, 0), min(part.end, b) - a) for a, b in zip(begins, ends, strict=True)]
        asked = {"files": list(files), "spans": spans, "columns": tuple(kinds)}
        return datasets.IterableDataset.from_generator(
            _rows_of, features=kinds, gen_kwargs=asked, split=datasets.NamedSplit(one)
        )
    rows = datasets.load_dataset(
        "parquet",
        config_name,
        data_files={one: list(files)},
        split=one,
        features=kinds,
        columns=list(kinds),
        streaming=streaming,
    )
    return rows if whole else rows.select(range(part.begin, part.end))


def _load_first(
    files: Sequence[Sequence[str]],
    parts: Sequence[_Part],
    kinds: datasets.Features,
    streaming: bool,
    config_name: str,
) -> list[Any]:
    """One row a duplicate cluster of all parts; while streaming, by article id, which holds in every worker."""
    import datasets

    from .near_copies import Rows, first_rows

    rows = [Rows(files=tuple(some), begin=part.begin, end=part.end) for some, part in zip(files, parts, strict=True)]
    every = kinds if "article_id" in kinds else datasets.Features({**kinds, "article_id": datasets.Value("string")})
    loaded = []
    for some, part, (positions, names) in zip(files, parts, first_rows(rows), strict=True):
        if not streaming:
            loaded.append(_load_part(some, part, kinds, streaming, config_name).select(positions))
            continue
        kept = frozenset(names.to_pylist())
        found = _load_part(some, part, every, streaming, config_name)
        found = found.filter(kept.__contains__, input_columns=["article_id"])
        loaded.append(found if every is kinds else found.select_columns(list(kinds)))
    return loaded


def _rows_of(
    files: Sequence[str], spans: Sequence[tuple[int, int]], columns: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The rows of Parquet files that lie in the span of each: the others' row groups are not read."""
    import fsspec
    import pyarrow.parquet as pq

    for file, (begin, end) in zip(files, spans, strict=True):
        with fsspec.open(file) as handle, pq.ParquetFile(handle) as opened:
            before = 0
            for group in range(opened.num_row_groups):
                size = opened.metadata.row_group(group).num_rows
                if before < end and before + size > begin:
                    rows = opened.read_row_group(group, columns=list(columns))
                    first = max(begin - before, 0)
                    for batch in rows.slice(first, end - before - first).select(columns).to_batches(1000):
                        yield from batch.to_pylist()
                before += size


def _nothing() -> Iterator[dict[str, Any]]:
    yield from ()


def _bound(text: str | None, rows: int, side: str) -> int:
    """A bound of a slice in rows, as `datasets` reads it: `1000`, `-10`, `20%` (rounded to the closest row)."""
    if not text:
        return 0 if side == "begin" else rows
    try:
        if text.endswith("%"):
            share = int(text[:-1])
            if abs(share) > 100:
                raise ValueError
            value = round(share / 100 * rows)
        else:
            value = int(text)
    except ValueError:
        raise CallError(f"{text!r} is no bound of a slice", hint="write train[:1000] or test[10%:20%]") from None
    return min(max(value + rows if value < 0 else value, 0), rows)


def _check(folder: Path, path: str, size: int, sha256: str) -> None:
    file = folder / path
    try:
        good = file.stat().st_size == size and hash_file(file)[1] == sha256
    except OSError as error:
        raise VerifyError(f"is missing or cannot be read: {error.strerror}", path=file) from None
    if not good:
        raise VerifyError("is not the file that the manifest names; see `newsdata verify`", path=file)


def load_pandas(
    path: str | Path,
    name: str | None = None,
    *,
    split: str | None = None,
    revision: str | None = None,
    columns: Iterable[str] | None = None,
    as_of: str | datetime | None = None,
    deduplicate: bool = False,
) -> pd.DataFrame:
    """One split of a version (or, with `split=None`, all of them and a column `split`) as a pandas frame.

    Whole numbers among which some are missing are floats to pandas, in the dictionaries of nested columns, too.

    Args:
        path, name, split, revision, columns, as_of, deduplicate: as for `load_dataset`; with `as_of` there is no split.

    Raises:
        VersionError, CallError, VerifyError: as `load_dataset`.
    """
    import pandas as pd

    found: Any = load_dataset(
        path, name, split=split, revision=revision, columns=columns, as_of=as_of, deduplicate=deduplicate
    )
    if split is not None or as_of is not None:
        frame: pd.DataFrame = found.with_format("arrow")[:].to_pandas()
        return frame
    frames: list[pd.DataFrame] = [
        rows.with_format("arrow")[:].to_pandas().assign(split=one) for one, rows in found.items()
    ]
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)


def info(path: str | Path, *, revision: str | None = None) -> dict[str, Any]:
    """What is in a version: counts, dates, splits, configuration, licence and citation, ready for JSON.

    Args:
        path, revision: as for `load_dataset`.

    Raises:
        VersionError, ManifestError: there is no such version, or its manifest cannot be read.
    """
    version = _find_version(path, revision)
    folder, manifest = version.folder, version.manifest
    beside = [] if version.resolved else versions_in(folder.parent)
    from ..card.readme import card_facts

    splits: dict[str, dict[str, Any]] = {}
    for config, names in CONFIGS.items():
        for one in names:
            shards = shards_of(manifest, config, one)
            splits.setdefault(config, {})[one] = {
                "rows": sum(s.rows for s in shards),
                "bytes": sum(s.bytes for s in shards),
                "shards": len(shards),
            }
    readme = folder / "README.md"
    return {
        "version": manifest.dataset_version,
        "schema_version": manifest.schema_version,
        "path": str(path) if version.resolved else str(folder),
        "commit": version.resolved.commit if version.resolved else None,
        "versions": beside,
        "yanked_versions": {v: reason for v in beside if (reason := read_yanked(folder.parent / v)) is not None},
        "yanked": None if version.resolved else read_yanked(folder),
        **card_facts(readme.read_text(encoding="utf-8") if readme.is_file() else ""),
        "configs": splits,
        "dates": manifest.accounting.get("dates_by_split", {}),
        "configuration": dict(manifest.configuration),
        "accounting": dict(manifest.accounting),
        "duplicates": dict(manifest.duplicates),
        "leakage": manifest.leakage,
        "tools": dict(manifest.tools),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What became of one file or article.

    Attributes:
        became: "article", "excluded", "reject", "redacted", "ignored" or "unknown".
        why: in words.
        article_id: of the article, where there is one.
        split: of the row.
        shard: path of the Parquet file that holds the row.
        posts: the posts that the article was made from, by path.
        reject: the row of `rejects`, where it is one.
    """

    became: str
    why: str
    article_id: str | None = None
    split: str | None = None
    shard: str | None = None
    posts: tuple[str, ...] = ()
    reject: dict[str, Any] | None = None


def where(path: str | Path, name: str, *, revision: str | None = None) -> Where:
    """Which row, reject or exclusion a file of the archive became, and why.

    Args:
        path, revision: the dataset, as for `load_dataset`.
        name: the path of a file in the archive, or an article id.

    It reads a folder only, of one version or of several.

    Raises:
        VersionError, ManifestError: there is no such version, or its manifest cannot be read.
    """
    from ..storage.shards import find_rows

    folder, manifest = open_version(path, revision)
    asked = name.removeprefix("./")

    def find(config: str, column: str, value: str, columns: list[str] | None) -> list[tuple[Shard, dict[str, Any]]]:
        return list(find_rows(folder, shards_of(manifest, config), column, [value], columns))

    posts = find("posts", "path", asked, ["path", "article_id", "issues"])
    identity = posts[0][1]["article_id"] if posts else asked
    for config in ("articles", "excluded"):
        reason = ["excluded_reason", "leak_group"] if config == "excluded" else []
        for shard, row in find(config, "article_id", identity, ["article_id", "title", *reason]):
            members = find("posts", "article_id", identity, ["path"])
            paths = tuple(post["path"] for _, post in members)
            why = f"merged from {len(paths)} posts" if len(paths) > 1 else "read from one post"
            if reason:
                others = _members(folder, manifest, row["leak_group"]) if row["excluded_reason"] == "straddle" else ""
                why = f"set aside: {row['excluded_reason']}{others}; {why}"
            return Where(
                became="excluded" if reason else "article",
                why=why,
                article_id=identity,
                split=shard.split,
                shard=shard.path,
                posts=paths,
            )
    rejects = find("rejects", "path", asked, None)
    if rejects:
        shard, row = rejects[0]
        return Where(became="reject", why=f"{row['rule']}: {row['reason']}", shard=shard.path, reject=row)
    from ..parsing.post import article_id
    from ..parsing.site import ELSEWHERE, classify
    from ..schema import Site
    from ..storage.ledger import read_ledger, tombstones

    stones = tombstones(read_ledger(folder, manifest))
    buried = asked if asked in stones else article_id(asked)
    if buried in stones:
        return Where(became="redacted", why=f"taken out: {stones[buried]}", article_id=buried)
    ignored = classify(asked, Site(drafts=bool(manifest.configuration["drafts"])))
    unknown = f"no file and no article of this name is in {manifest.dataset_version}"
    if ignored == ELSEWHERE and (alike := _paths_that_end(folder, manifest, f"/{asked}")):
        return Where(became="unknown", why=f"{unknown}; there is {', '.join(alike)}")
    if ignored and ("." in asked or "/" in asked):  # what has neither is no file's name, but an id
        return Where(became="ignored", why=f"a file of this name is none of the dataset's: {ignored}")
    if left_out := manifest.accounting.get("ignored_by_reason", {}).get("redacted", 0):
        unknown += (
            f"; {left_out:,} files were left out as redacted, and those known by their bytes alone have no name here"
        )
    return Where(became="unknown", why=unknown)


_ALIKE = 5


def _members(folder: Path, manifest: Manifest, leak_group: str) -> str:
    """The first few articles of a group, in words."""
    from ..storage.shards import find_rows

    rows = find_rows(folder, shards_of(manifest, "articles"), "leak_group", [leak_group], ["article_id"])
    names = [f"{row['article_id']} of {shard.split}" for shard, row in rows]
    more = f" and {len(names) - _ALIKE} more" if len(names) > _ALIKE else ""
    return f", as a copy of {', '.join(names[:_ALIKE])}{more}"


def _paths_that_end(folder: Path, manifest: Manifest, ending: str) -> list[str]:
    """The first few paths of posts and rejects that end so."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: list[str] = []
    for shard in (*shards_of(manifest, "posts"), *shards_of(manifest, "rejects")):
        paths = pq.read_table(folder / shard.path, columns=["path"])["path"]
        found += paths.filter(pc.ends_with(paths, ending)).to_pylist()
    return sorted(found)[:_ALIKE]


def duplicates(path: str | Path, article_id: str | None = None, *, revision: str | None = None) -> tuple[Cluster, ...]:
    """Who copied whom, and when: the clusters of near-copies with their members in time order.

    Args:
        path: the folder of a version, or the folder that holds versions.
        article_id: only the cluster of this article; by default every cluster of several articles.
        revision: as for `load_dataset`.

    Raises:
        VersionError, ManifestError: there is no such version, or its manifest cannot be read.
        CallError: there is no such article.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     all(len(cluster.members) > 1 for cluster in duplicates(out))
    True
    """
    from ..storage.manifest import BOILERPLATE_NAME
    from .near_copies import clusters_of

    folder, manifest = open_version(path, revision)
    check_file(folder, manifest, BOILERPLATE_NAME)
    return clusters_of(folder, manifest, folder / BOILERPLATE_NAME, article_id)


def diff(old: str | Path, new: str | Path) -> Difference:
    """What differs between two versions, row by row, and the bump that it asks for.

    Args:
        old, new: folders of versions (or folders that hold versions: the newest is taken).

    Raises:
        VersionError, ManifestError: there is no such version, or its manifest cannot be read.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     diff(made.path, made.path).bump is None
    True
    """
    from ..storage.difference import compare

    return compare(*open_version(old), *open_version(new))
