"""The command `build`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..counts import in_number, noun, plural
from ..errors import RejectsError, shown
from ..graph.process import available_cores, do_without_pandas
from ..sources.folder_walk import path_inside
from ..sources.listing_ahead import ListingAhead, list_ahead
from .options import FOLDER, build_options, json_option, quiet_option, verbose_option
from .output import complain, print_json, say
from .progress import progress_bar

if TYPE_CHECKING:
    from ..building.build import Build

__all__ = ["build"]

_EXAMPLES = 3  # rejects of each rule that the summary shows
_REASONS = 5  # reasons for the version bump that it shows


@click.command()
@click.argument("source")
@click.argument("out", type=FOLDER)
@build_options
@click.option("--validation-from", metavar="DAY", help="First day of validation (YYYY-MM-DD); first version only.")
@click.option("--test-from", metavar="DAY", help="First day of test (YYYY-MM-DD); first version only.")
@click.option("--gap-days", type=click.IntRange(0), help="Exclude articles of this many days on each side of a border.")
@click.option("--base", type=FOLDER, help="The version to follow (default: the newest in OUT).")
@click.option("--cache/--no-cache", default=True, help="Use results of earlier builds in OUT (default: yes).")
@quiet_option
@verbose_option
@json_option
def build(source: str, out: Path, quiet: bool, as_json: bool, **options: Any) -> None:
    """Build a version of the dataset.

    SOURCE is the archive, OUT the folder that holds the versions. The newest version is followed, and nothing is written when
    nothing changed.
    """
    try:
        with progress_bar(quiet=quiet) as progress, _listing_ahead(source, out, options["num_proc"]) as ahead:
            from ..building.build import build as build_version

            do_without_pandas()
            made = build_version(source, out, progress=progress, ahead=ahead, **options)
    except RejectsError as error:
        if as_json:
            print_json({"error": str(error), "version": None, "created": False, "rejects": error.rejects})
        raise
    if as_json:
        print_json(
            {
                "version": made.version,
                "path": made.path,
                "created": made.created,
                "accounting": made.manifest.accounting,
                "configuration": made.manifest.configuration,
                "stages": made.stages,
                "rejects": made.rejects,
                "notes": made.notes,
            }
        )
    elif quiet:
        say(_one_line(made))
        for note in made.notes:
            complain(f"note: {note}")
    else:
        say(*_summary(made))


@contextmanager
def _listing_ahead(source: str, out: Path, num_proc: int | None) -> Iterator[ListingAhead | None]:
    """Start to list a site's folder while this process loads its libraries, where there is a second core for it."""
    root = os.path.realpath(source)
    if num_proc == 1 or available_cores() == 1 or not os.access(f"{root}/_posts", os.X_OK):
        yield None
        return
    with list_ahead(root, path_inside(root, out)) as ahead:
        yield ahead


def _one_line(made: Build) -> str:
    counts = made.manifest.accounting
    nouns = {"files_seen": "file", "posts": "post", "articles": "article", "rejects": "reject"}
    told = [plural(counts[key], name) for key, name in nouns.items()]
    told += [f"{counts[key]:,} {key}" for key in ("ignored", "excluded")]
    return f"{'built' if made.created else 'unchanged'} {made.path}: {', '.join(told)}"


def _summary(made: Build) -> Iterator[str]:
    """What a build did, for people: a headline, then a label and a fact on each line."""
    if not made.created:
        yield f"Nothing changed since {made.version}; nothing was written ({made.path})"
        yield from (f"  {'note':>9}   {note}" for note in made.notes)
        return
    counts = made.manifest.accounting
    seconds = sum(stage["seconds"] for stage in made.stages.values())
    yield f"Built {made.path} in {seconds:.1f} s"
    files, posts, articles = counts["files_seen"], counts["posts"], counts["articles"]
    yield (
        f"  {files:>9,} {noun(files, 'file')} = {plural(posts, 'post')} + {plural(counts['rejects'], 'reject')} "
        f"+ {counts['ignored']:,} ignored"
    )
    yield (
        f"  {posts:>9,} {noun(posts, 'post')} = {plural(articles, 'article')} "
        f"+ {counts['merged_posts']:,} merged into one of them"
    )
    yield from _splits(made)
    for reason, count in counts["excluded_by_reason"].items():
        yield f"  {'excluded':>9}   {plural(count, 'article')}: {reason}"
    yield from _rejects(made)
    if made.difference:
        reasons = made.difference.reasons
        more = f"; and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
        told = in_number("; ".join(reasons[:_REASONS])) or "nothing changed"
        yield f"  {made.difference.bump or '':>9}   since {made.difference.old}: {told}{more}"
    yield from (f"  {'note':>9}   {note}" for note in made.notes)
    yield from (f"  {'note':>9}   _config.yml: {note}" for note in counts.get("config_notes", ()))


def _splits(made: Build) -> Iterator[str]:
    counts = made.manifest.accounting
    for split, rows in counts["articles_by_split"].items():
        if rows:
            first, last = counts["dates_by_split"][split]
            yield f"  {split:>9}   {plural(rows, 'article')}, {first} to {last}"
        elif split in ("validation", "test") and made.manifest.configuration["validation_from"]:
            yield f"  {split:>9}   no article: none has a date in it, or all of them were excluded"


def _rejects(made: Build) -> Iterator[str]:
    for rule, count in made.manifest.accounting["rejects_by_rule"].items():
        yield f"  {'rejected':>9}   {plural(count, 'post')}: {rule}"
        examples = [reject for reject in made.rejects if reject.rule == rule][:_EXAMPLES]
        for reject in examples:
            line = f", line {reject.line}" if reject.line else ""
            yield f"          {shown(reject.path)}{line}: {shown(reject.reason)}"
        if count > len(examples):
            yield f"          and {count - len(examples):,} more; they are in the config `rejects` and in --json"
