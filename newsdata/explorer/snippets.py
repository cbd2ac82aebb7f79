"""The same selection in code: `datasets`, Polars and DuckDB, with every filter of the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import indent

from .parameters import FIELDS, NO_PUBLISHER, Query

__all__ = ["datasets_snippet", "duckdb_snippet", "polars_snippet"]


def datasets_snippet(path: str, version: str, query: Query, zone: str) -> str:
    """Python that gives the articles as a `DatasetDict`, one dataset a split."""
    conditions = list(_python(query))
    lines = ["import newsdata", ""]
    if query.first_day or query.last_day:
        lines[:1] = ["from zoneinfo import ZoneInfo", "", "import newsdata"]
        lines.append(f"zone = ZoneInfo({zone!r})")
    if query.cluster != "any":
        lines += [
            f"clusters = newsdata.duplicates({path!r}, revision={version!r})",
            "copied = {member.article_id for cluster in clusters for member in cluster.members}",
        ]
    lines.append(f"articles = newsdata.load_dataset({path!r}, revision={version!r})")
    if query.split:
        lines.append(f"articles = {{name: articles[name] for name in {list(query.split)!r} if name in articles}}")
        if conditions:
            lines.append("for name, rows in articles.items():")
            lines.append(indent(f"articles[name] = rows.{_filter(conditions, as_lambda=True)}", "    "))
    elif conditions:
        lines.append(f"articles = articles.{_filter(conditions, as_lambda=True)}")
    return "\n".join(lines)


def polars_snippet(path: str, query: Query, zone: str, configs: Sequence[str]) -> str:
    """Python that gives the articles as a Polars frame.

    Args:
        path: the folder of the version.
        query: what is wanted.
        zone: IANA name of the site's zone.
        configs: those of `articles` and `excluded` that have rows: near-copies are counted in both.
    """
    lines = ["import polars as pl", ""]
    files = f"{path}/articles/*.parquet"
    lines.append(f'articles = pl.scan_parquet({files!r}, include_file_paths="file")')
    if query.cluster != "any":
        lines += [
            f'every = pl.scan_parquet({_files(path, configs)!r}, extra_columns="ignore")',
            "copied = every.group_by('duplicate_cluster').len().filter(pl.col('len') > 1)",
            f"articles = articles.join(copied, on='duplicate_cluster', how={'semi' if query.cluster == 'copies' else 'anti'!r})",
        ]
    conditions = list(_polars(query, zone))
    if conditions:
        lines.append(f"articles = articles.{_filter(conditions, as_lambda=False)}")
    lines.append("articles = articles.collect()")
    return "\n".join(lines)


def duckdb_snippet(path: str, query: Query, zone: str, configs: Sequence[str]) -> str:
    """SQL that gives the articles. The arguments are those of `polars_snippet`."""
    source = _sql(f"{path}/articles/*.parquet")
    conditions = list(_duckdb(path, query, zone, configs))
    where = "\nWHERE " + "\n  AND ".join(conditions) if conditions else ""
    return f"SELECT * FROM read_parquet({source}, filename = true){where};"  # noqa: S608


def _filter(conditions: list[str], *, as_lambda: bool) -> str:
    """A call of `filter` with these conditions, one a line if there are several."""
    if as_lambda:
        text = "lambda row: " + "\n    and ".join(conditions)
    else:
        text = ",\n    ".join(conditions) + ("," if len(conditions) > 1 else "")
    return f"filter(\n    {text}\n)" if len(conditions) > 1 else f"filter({text})"


def _python(query: Query) -> Iterator[str]:
    if query.q:
        yield _either([f'{query.q!r} in (row["{name}"] or "")' for name in FIELDS[query.where]], " or ")
    if query.first_day or query.last_day:
        yield 'row["published_at"] is not None'
        day = 'str(row["published_at"].astimezone(zone).date())'
        if query.first_day:
            yield f'{day} >= "{query.first_day}"'
        if query.last_day:
            yield f'{day} <= "{query.last_day}"'
    if query.publisher:
        wanted = [None if name == NO_PUBLISHER else name for name in query.publisher]
        yield f'(row["media"] or row["source"] or None) in {wanted!r}'
    if query.code:
        yield f'any(mention["code"] in {list(query.code)!r} for mention in row["mentions"])'
    if query.kind:
        yield f'{"" if query.kind == "flash" else "not "}row["is_flash"]'
    if query.issue:
        yield f'any(issue in {list(query.issue)!r} for issue in row["issues"])'
    if query.cluster != "any":
        yield f'row["article_id"] {"" if query.cluster == "copies" else "not "}in copied'


def _polars(query: Query, zone: str) -> Iterator[str]:
    if query.q:
        parts = [
            f'pl.col("{name}").str.contains({query.q!r}, literal=True).fill_null(False)' for name in FIELDS[query.where]
        ]
        yield _either(parts, " | ")
    day = f'pl.col("published_at").dt.convert_time_zone({zone!r}).dt.date()'
    if query.first_day:
        yield f"{day} >= pl.lit({str(query.first_day)!r}).str.to_date()"
    if query.last_day:
        yield f"{day} <= pl.lit({str(query.last_day)!r}).str.to_date()"
    if query.split:
        yield f'pl.col("file").str.contains({"/(" + "|".join(query.split) + ")-[^/]*$"!r})'
    if query.publisher:
        wanted = [None if name == NO_PUBLISHER else name for name in query.publisher]
        publisher = 'pl.coalesce(pl.col("media").replace("", None), pl.col("source").replace("", None))'
        yield f"{publisher}.is_in({wanted!r}, nulls_equal=True)"
    if query.code:
        yield f'pl.col("mentions").list.eval(pl.element().struct.field("code").is_in({list(query.code)!r})).list.any()'
    if query.kind:
        yield f'{"" if query.kind == "flash" else "~"}pl.col("is_flash")'
    if query.issue:
        yield f'pl.col("issues").list.eval(pl.element().is_in({list(query.issue)!r})).list.any()'


def _duckdb(path: str, query: Query, zone: str, configs: Sequence[str]) -> Iterator[str]:
    if query.q:
        parts = [f"coalesce(contains({name}, {_sql(query.q)}), false)" for name in FIELDS[query.where]]
        yield _either(parts, " OR ")
    day = f"CAST(published_at AT TIME ZONE {_sql(zone)} AS DATE)"
    if query.first_day:
        yield f"{day} >= DATE '{query.first_day}'"
    if query.last_day:
        yield f"{day} <= DATE '{query.last_day}'"
    if query.split:
        yield _either([f"regexp_matches(filename, '/{name}-[^/]*$')" for name in query.split], " OR ")
    if query.publisher:
        publisher = "coalesce(nullif(media, ''), nullif(source, ''))"
        named = [f"{publisher} = {_sql(name)}" for name in query.publisher if name != NO_PUBLISHER]
        yield _either([*named, *([f"{publisher} IS NULL"] if NO_PUBLISHER in query.publisher else [])], " OR ")
    if query.code:
        yield f"list_has_any([mention.code FOR mention IN mentions], [{', '.join(map(_sql, query.code))}])"
    if query.kind:
        yield "is_flash" if query.kind == "flash" else "NOT is_flash"
    if query.issue:
        yield f"list_has_any(issues, [{', '.join(map(_sql, query.issue))}])"
    if query.cluster != "any":
        files = ", ".join(_sql(file) for file in _files(path, configs))
        every = f"SELECT duplicate_cluster FROM read_parquet([{files}]) GROUP BY 1 HAVING count(*) > 1"  # noqa: S608
        yield f"duplicate_cluster {'' if query.cluster == 'copies' else 'NOT '}IN ({every})"


def _files(path: str, configs: Sequence[str]) -> list[str]:
    return [f"{path}/{config}/*.parquet" for config in configs]


def _either(parts: list[str], between: str) -> str:
    return parts[0] if len(parts) == 1 else f"({between.join(parts)})"


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
