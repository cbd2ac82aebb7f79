"""The command `build`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..counts import in_number, noun, plural
from ..errors import RejectsError
from ..files import expand_home
from ..graph.process import available_cores, do_without_pandas
from ..objects import is_object_url
from ..sources.folder_walk import path_inside
from ..sources.listing_ahead import ListingAhead, list_ahead
from .options import FOLDER, OUT, Number, WholeNumber, build_options, json_option, quiet_option, verbose_option
from .output import Styled, complain, print_json, say, say_wrapped
from .progress import progress_bar

if TYPE_CHECKING:
    from ..building.build import Build
    from ..building.engines import Place

__all__ = ["build"]

_EXAMPLES = 3  # rejects of each rule that the summary shows
_REASONS = 5  # reasons for the version bump that it shows


@click.command()
@click.argument("source")
@click.argument("out", type=OUT)
@build_options
@click.option(
    "--validation-from", metavar="DAY", help="First day of validation (YYYY-MM-DD); first version or --resplit."
)
@click.option("--test-from", metavar="DAY", help="First day of test (YYYY-MM-DD); first version or --resplit.")
@click.option("--gap-days", type=WholeNumber(0), help="Exclude articles of this many days on each side of a border.")
@click.option("--resplit", is_flag=True, help="Cut the splits anew, as a MAJOR version; the old test is excluded.")
@click.option("--allow-old-test", is_flag=True, help="With --resplit: let articles of the old test be in any split.")
@click.option(
    "--baselines",
    type=FOLDER,
    metavar="FILE",
    help="Scores for the card, from scripts/baselines.py --json (default: as in the version before).",
)
@click.option("--base", type=OUT, help="The version to follow (default: the newest in OUT).")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray", "ranks"]),
    help="What runs the tasks: this machine, a Ray cluster, or several processes (default: local; ranks with --rank).",
)
@click.option("--rank", type=WholeNumber(0), metavar="R", help="This process is number R of the ranks, from 0.")
@click.option("--world-size", type=WholeNumber(1), metavar="N", help="The number of ranks.")
@click.option(
    "--takeover",
    type=Number(0.1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="After so long without a sign of life, the tasks of a rank are done by rank 0.",
)
@click.option("--cache/--no-cache", default=True, help="Use results of earlier builds in OUT (default: yes).")
@quiet_option
@verbose_option
@json_option
def build(
    source: str,
    out: str,
    quiet: bool,
    as_json: bool,
    engine: str | None,
    rank: int | None,
    world_size: int | None,
    **options: Any,
) -> None:
    """Build a version of the dataset.

    SOURCE is the archive, OUT the folder that holds the versions, or its address in a bucket (s3://, gs://). The newest version
    is followed, and nothing is written when nothing changed.

    With --engine ranks, every rank runs this command with the same SOURCE and OUT, which all of them see. Rank 0 makes the
    version; the others do their part of the tasks and print one line.
    """
    named = rank is not None or world_size is not None
    engine = engine or ("ranks" if named else "local")
    if named and engine != "ranks":
        raise click.UsageError("--rank and --world-size go with --engine ranks")
    place = None
    if engine == "ranks":
        from ..building.engines import place_among_ranks

        place = place_among_ranks(rank, world_size, os.environ)
    if place and place.rank:
        _work(source, out, place, options["num_proc"], options["takeover"], as_json=as_json)
        return
    try:
        with progress_bar(quiet=quiet) as progress, _listing_ahead(source, out, options["num_proc"]) as ahead:
            from ..building.build import build as build_version

            do_without_pandas()
            made = build_version(source, out, progress=progress, ahead=ahead, engine=engine, place=place, **options)
    except RejectsError as error:
        if as_json:
            print_json({"error": str(error), "version": None, "created": False, "rejects": error.rejects})
        raise
    if as_json:
        print_json(
            {
                "version": made.version,
                "path": made.address,
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
        _say_summary(made, out)


def _work(source: str, out: str, place: Place, num_proc: int | None, takeover: float, *, as_json: bool) -> None:
    """Do the part of a rank that is not 0."""
    from ..building.ranks import work_as_rank

    do_without_pandas()
    tasks = work_as_rank(source, out, place, num_proc=num_proc, takeover=takeover)
    if as_json:
        print_json({"rank": place.rank, "world_size": place.size, "tasks": tasks})
    else:
        say(f"rank {place.rank} of {place.size} did {plural(tasks, 'task')}; rank 0 makes the version")


@contextmanager
def _listing_ahead(source: str, out: str, num_proc: int | None) -> Iterator[ListingAhead | None]:
    """Start to list a site's folder while this process loads its libraries, where there is a second core for it."""
    root = os.path.realpath(expand_home(source))
    if num_proc == 1 or available_cores() == 1 or not os.access(f"{root}/_posts", os.X_OK):
        yield None
        return
    with list_ahead(root, None if is_object_url(out) else path_inside(root, out)) as ahead:
        yield ahead


def _one_line(made: Build) -> str:
    counts = made.manifest.accounting
    nouns = {"files_seen": "file", "posts": "post", "articles": "article", "rejects": "reject"}
    told = [plural(counts[key], name) for key, name in nouns.items()]
    told += [f"{counts[key]:,} {key}" for key in ("ignored", "excluded")]
    return f"{'built' if made.created else 'unchanged'} {made.address}: {', '.join(told)}"


def _say_summary(made: Build, out: str) -> None:
    """Print what a build did, for people: a headline, a label and a fact on each line, and how to look at the version."""
    if not made.created:
        say_wrapped("", f"Nothing changed since {made.version}; nothing was written ({made.address})")
        for note in made.notes:
            say_wrapped(_label("note"), note)
        return
    seconds = sum(stage["seconds"] for stage in made.stages.values())
    say([Styled(f"Built {made.address}", "head"), f" in {seconds:.1f} s"])
    for label, fact in _summary(made):
        say_wrapped(label, fact)
    if not is_object_url(out):
        say(f"Look at it: newsdata explore {shlex.quote(out)}")


def _label(name: str) -> str:
    return f"  {name:>10}   "


def _summary(made: Build) -> Iterator[tuple[str, str]]:
    """A label and a fact for each line of the summary."""
    counts = made.manifest.accounting
    files, posts, articles = counts["files_seen"], counts["posts"], counts["articles"]
    rejects = plural(counts["rejects"], "reject")
    yield (
        f"  {files:>10,} ",
        f"{noun(files, 'file')} = {plural(posts, 'post')} + {rejects} + {counts['ignored']:,} ignored",
    )
    yield (
        f"  {posts:>10,} ",
        f"{noun(posts, 'post')} = {plural(articles, 'article')} + {counts['merged_posts']:,} merged into one of them",
    )
    yield from _splits(made)
    for reason, count in counts["excluded_by_reason"].items():
        yield _label("excluded"), f"{plural(count, 'article')}: {reason}"
    yield from _rejects(made)
    if made.difference:
        reasons = made.difference.reasons
        more = f"; and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
        told = in_number("; ".join(reasons[:_REASONS])) or "nothing changed"
        yield _label(made.difference.bump or ""), f"since {made.difference.old}: {told}{more}"
    for note in (*made.notes, *(f"_config.yml: {note}" for note in counts.get("config_notes", ()))):
        yield _label("note"), note


def _splits(made: Build) -> Iterator[tuple[str, str]]:
    counts = made.manifest.accounting
    for split, rows in counts["articles_by_split"].items():
        if rows:
            first, last = counts["dates_by_split"][split]
            yield _label(split), f"{plural(rows, 'article')}, {first} to {last}"
        elif split == "train" or (split != "newer" and made.manifest.configuration["validation_from"]):
            yield _label(split), "no article: none has a date in it, or all of them were excluded"


def _rejects(made: Build) -> Iterator[tuple[str, str]]:
    below = " " * 11
    for rule, count in made.manifest.accounting["rejects_by_rule"].items():
        yield _label("rejected"), f"{plural(count, 'file')}: {rule}"
        examples = [reject for reject in made.rejects if reject.rule == rule][:_EXAMPLES]
        for reject in examples:
            line = f", line {reject.line}" if reject.line else ""
            yield below, f"{reject.path}{line}: {reject.reason}"
        if count > len(examples):
            yield below, f"and {count - len(examples):,} more; they are in the config `rejects` and in --json"
