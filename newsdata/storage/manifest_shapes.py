"""The types and bounds of everything that stands in a manifest: what `read_manifest` accepts.

A manifest may come from somebody else. The bounds are far above what a real version needs (docs/security.md lists them),
so that a forged number, text or list is refused before anything is made from it. Keys that are not named here are kept.
"""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, Required, TypedDict

from msgspec import Meta

__all__ = [
    "Accounting",
    "Baselines",
    "ChangeNote",
    "Columns",
    "Configuration",
    "Count",
    "Duplicates",
    "Hash",
    "Leakage",
    "Name",
    "RelativePath",
    "Rows",
    "ShortText",
    "Source",
    "Statistics",
    "Tools",
]

Count = Annotated[int, Meta(ge=0, le=2**50)]
"""A number of bytes, files or other things."""

Rows = Annotated[int, Meta(ge=0, le=2**31)]
"""A number of rows of one shard."""

Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""A SHA-256, as hexadecimal digits."""

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
"""The name of a config or split."""

RelativePath = Annotated[str, Meta(min_length=1, max_length=255)]
"""The path of a file in a version's folder; `read_manifest` checks its parts, too."""

ShortText = Annotated[str, Meta(max_length=10_000)]

_Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Counts = dict[ShortText, Count]
_Zone = Annotated[str, Meta(min_length=1, max_length=64)]


class Configuration(TypedDict, total=False):
    """`Manifest.configuration`."""

    timezone: Required[_Zone]
    drafts: Required[bool]
    validation_from: Required[_Day | None]
    test_from: Required[_Day | None]
    test_until: Required[_Day | None]
    gap_days: Required[Annotated[int, Meta(ge=0, le=36_500)]]
    split_scheme: Annotated[int, Meta(ge=0, le=1_000_000)]
    text: Annotated[str, Meta(pattern=r"^(full|none|partial)\Z")]
    dedup_version: ShortText
    site: ShortText
    site_title: ShortText
    site_language: ShortText
    site_address: ShortText
    card: ShortText
    baselines: ShortText
    history: bool
    shard_rows: Annotated[int, Meta(ge=1, le=2**31)]


class Source(TypedDict, total=False):
    """`Manifest.source`."""

    files: Count
    bytes: Count
    digest: ShortText


class Accounting(TypedDict, total=False):
    """`Manifest.accounting`."""

    files_seen: Required[Count]
    posts: Required[Count]
    rejects: Required[Count]
    ignored: Required[Count]
    articles: Required[Count]
    merged_posts: Count
    excluded: Required[Count]
    articles_by_split: dict[Name, Count]
    dates_by_split: dict[Name, tuple[_Day, _Day]]
    straddles_by_split: dict[Name, Count]
    excluded_by_reason: _Counts
    posts_by_feed: _Counts
    rejects_by_rule: _Counts
    ignored_by_reason: _Counts
    issues_by_code: _Counts
    config_notes: list[ShortText]
    articles_of_release: Count


class _Comparison(TypedDict, total=False):
    split: Name
    against: Name
    rows: Count
    leak_j50: _Share | None
    leak_j80: _Share | None
    leak_c80: _Share | None
    leak_any: _Share | None
    similar: _Share | None
    same_digest: _Share | None
    contained: _Share | None
    contains: _Share | None
    coverage_50gram: _Share | None
    latest_seen: ShortText
    earliest_tested: ShortText
    future_rows: Count


class _Pair(TypedDict, total=False):
    left: ShortText
    right: ShortText
    rule: ShortText | None
    jaccard: _Share | None


class Leakage(TypedDict, total=False):
    """`Manifest.leakage`."""

    pairs: list[_Comparison]
    random: list[_Comparison]
    leaking: list[_Pair]
    examples: list[_Pair]
    largest_group: Count


class _Aliases(TypedDict, total=False):
    duplicate_cluster: dict[ShortText, ShortText]
    leak_group: dict[ShortText, ShortText]


class Duplicates(TypedDict, total=False):
    """`Manifest.duplicates`."""

    dedup_version: ShortText
    method: dict[str, ShortText | Count]
    boilerplate: dict[str, Count | ShortText]
    articles: Count
    short: Count
    candidates: Count
    pairs: _Counts
    doors: dict[ShortText, bool]
    large_buckets: Count
    largest_bucket: Count
    shared_urls: Count
    clusters: Count
    clusters_of_several: Count
    articles_with_copies: Count
    largest_cluster: Count
    aliases: _Aliases


_Unit = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}(-[0-9]{2})?\Z")]
_ByUnit = Annotated[dict[_Unit, Count], Meta(max_length=120_000)]  # the years 1 to 9999 have so many months
_Bins = Annotated[list[Count], Meta(min_length=1, max_length=100)]
_ClassName = Annotated[str, Meta(min_length=1, max_length=100)]


_Lengths = TypedDict("_Lengths", {"from": _Bins, "articles": dict[Name, _Bins]})


class _Publisher(TypedDict):
    name: _ClassName
    articles: Count


class _Publishers(TypedDict):
    names: Count
    top: Annotated[list[_Publisher], Meta(max_length=100)]
    others: Count
    none: Count


_BySplit = dict[Name, Count]


class _Class(TypedDict):
    name: _ClassName
    articles: _BySplit


class _Unseen(TypedDict):
    names: Count
    articles: Count
    top: Annotated[list[_Publisher], Meta(max_length=100)]


class _Classes(TypedDict):
    names: Count
    top: Annotated[list[_Class], Meta(max_length=100)]
    others: _BySplit
    none: _BySplit
    unseen: _Unseen


class Statistics(TypedDict):
    """`Manifest.statistics`.

    Attributes:
        unit: what `articles` is counted by: "day", or "month" if more than 1,000 days have articles.
        articles: split -> day (YYYY-MM-DD) or month (YYYY-MM) in the site's time zone -> articles, in the order of time.
        lengths: `from`, the smallest number of characters of each bin, and `articles`, split -> articles in each bin.
        publishers: the number of different `names`, the `top` ones with their articles, and the articles of all `others`
            and of `none`; missing in a version without text.
        classes: "publisher" and "category" -> the articles of their classes by split, see `class_balance`. A column without
            a value is missing, and so are all in a version without text, or of an older newsdata.
        near_copies: split -> articles that have a near-copy in the version.
        sample: column -> value as text, of one article.
    """

    unit: Annotated[str, Meta(pattern=r"^(day|month)\Z")]
    articles: dict[Name, _ByUnit]
    lengths: _Lengths
    publishers: NotRequired[_Publishers]
    classes: NotRequired[Annotated[dict[Name, _Classes], Meta(max_length=10)]]
    near_copies: dict[Name, Count]
    sample: Annotated[dict[Name, Annotated[str, Meta(max_length=1000)]], Meta(max_length=200)]


_ShortName = Annotated[str, Meta(min_length=1, max_length=200)]


class _Score(TypedDict):
    split: Annotated[str, Meta(pattern=r"^(frozen|random|folds)\Z")]
    measure: _ShortName
    score: _Share
    low: _Share
    high: _Share
    train: Count
    test: Count


class _Task(TypedDict):
    name: _ShortName
    about: NotRequired[_ShortName]
    labels: NotRequired[_ShortName]
    classes: NotRequired[Count]
    left_out: NotRequired[_ShortName]
    scores: NotRequired[Annotated[list[_Score], Meta(max_length=100)]]


class _RowsUsed(TypedDict):
    train: Count
    test: Count


class Baselines(TypedDict):
    """`Manifest.baselines`, and the file that `newsdata build --baselines` reads.

    Attributes:
        format: of the file.
        version: the version that was measured.
        content: the `frozen_digest` of that version: over its rows of train, validation and test.
        rows, used: the rows of train and test that it has, and those that were taken.
        seed, resamples: of the measuring, and of the intervals.
        tools: versions of the packages.
        tasks: for each task its name, what it is about, its labels and their number, and its scores: on which split
            (`frozen`, `random` or `folds`), by which measure, the score with its interval of 95 %, and the rows to learn
            from and to test on; or why it was left out.
    """

    format: Annotated[str, Meta(pattern=r"^newsdata baselines 1\Z")]
    version: Annotated[str, Meta(pattern=r"^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}\Z")]
    content: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    rows: _RowsUsed
    used: _RowsUsed
    seed: Annotated[int, Meta(ge=0, le=2**32)]
    resamples: Count
    tools: Annotated[
        dict[Annotated[str, Meta(max_length=50)], Annotated[str, Meta(max_length=50)]], Meta(max_length=20)
    ]
    tasks: Annotated[list[_Task], Meta(max_length=20)]


class ChangeNote(TypedDict, total=False):
    """An entry of `Manifest.changes`."""

    version: ShortText
    bump: ShortText | None
    reasons: list[ShortText]
    rows: dict[str, Any]


Columns = dict[Name, dict[Annotated[str, Meta(max_length=200)], Count]]
"""`Manifest.columns`."""

Tools = dict[Annotated[str, Meta(max_length=200)], ShortText]
"""`Manifest.tools`."""
