"""Commands that show what is there and change nothing: `info`, `where`, `duplicates`, `diff`, `parse`, `card`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..counts import file_size, in_number, noun, plural
from ..errors import CallError, DriftError
from .options import FOLDER, VERSION, json_option, revision_option
from .output import print_json, say, warn

if TYPE_CHECKING:
    from ..dataset.duplicates import Member

__all__ = ["card", "diff", "duplicates", "info", "parse", "where"]

_CLUSTERS = 20  # clusters that `duplicates` prints for people
_CHANGES = 20  # changed rows that `diff` prints for people


@click.command()
@click.argument("directory", metavar="DIR|REPO", type=VERSION)
@revision_option
@json_option
def info(directory: str, revision: str | None, as_json: bool) -> None:
    """Show counts, dates, splits, licence and citation of a version.

    DIR is its folder, or the folder that holds versions. A version on the Hub is written owner/name or owner/name@1.0.0.
    """
    from ..dataset.describe import info as describe

    facts = describe(directory, revision=revision)
    if as_json:
        print_json(facts)
    else:
        say(*_info_lines(facts))


def _info_lines(facts: dict[str, Any]) -> Iterator[str]:
    counts, configuration = facts["accounting"], facts["configuration"]
    commit = f", commit {facts['commit']}" if facts["commit"] else ""
    yield f"{facts.get('pretty_name') or 'dataset'} {facts['version']}   ({facts['path']}{commit})"
    if facts.get("yanked"):
        yield f"  yanked: {facts['yanked']}"
    if configuration["text"] == "partial":
        of = counts.get("articles_of_release", 0)
        yield f"  partial: {counts['articles']:,} of {of:,} articles of {facts['version']}, not the release itself"
    if configuration["text"] == "none":
        yield "  without text: every column with the publishers' words is null; `newsdata rehydrate` fills them"
    for config, splits in facts["configs"].items():
        for split, size in splits.items():
            if size["rows"]:
                days = facts["dates"].get(split) if config == "articles" else None
                dates = f"   {days[0]} to {days[1]}" if days else ""
                rows = f"{size['rows']:>9,} {noun(size['rows'], 'row'):<4}"
                yield f"  {config:>9}  {split:<10} {rows} {file_size(size['bytes']):>11}{dates}"
    excluded = f", {counts['excluded']:,} of them excluded" if counts["excluded"] else ""
    yield (
        f"  {plural(counts['files_seen'], 'file')} = {plural(counts['posts'], 'post')} "
        f"+ {plural(counts['rejects'], 'reject')} + {counts['ignored']:,} ignored; "
        f"{plural(counts['articles'], 'article')}{excluded}"
    )
    if configuration["validation_from"]:
        yield (
            f"  validation from {configuration['validation_from']}, test from {configuration['test_from']} "
            f"to {configuration['test_until']} ({configuration['timezone']})"
        )
    else:
        yield f"  every article with a date is in train ({configuration['timezone']})"
    if len(facts["versions"]) > 1:
        yanked = facts["yanked_versions"]
        yield "  versions: " + ", ".join(f"{v} (yanked)" if v in yanked else v for v in facts["versions"])
    if facts.get("license"):
        yield f"  licence: {facts['license']}"
    if facts.get("citation"):
        yield ""
        yield from facts["citation"].strip().split("\n")


@click.command()
@click.argument("directory", metavar="DIR|REPO", type=VERSION)
@click.argument("name", metavar="PATH|ID")
@revision_option
@json_option
def where(directory: str, name: str, revision: str | None, as_json: bool) -> None:
    """Show what became of a file of the archive, and why.

    PATH is its path, as the shell completes it or as it ends; the ID of an article works, too. It became a row, a reject,
    or was excluded or ignored.
    """
    from ..dataset.where import where as find

    found = find(directory, name, revision=revision)
    if as_json:
        print_json(found)
    else:
        split = f", split {found.split}" if found.split else ""
        shard = f", {found.shard}" if found.shard else ""
        say(f"{name}: {found.became}{split}{shard}")
        say(f"  {found.why}")
        for post in found.posts:
            say(f"  post {post}")
    if found.became == "unknown":
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("directory", metavar="DIR|REPO", type=VERSION)
@click.argument("article_id", metavar="[ARTICLE_ID]", required=False)
@revision_option
@json_option
def duplicates(directory: str, article_id: str | None, revision: str | None, as_json: bool) -> None:
    """Show the clusters of near-copies.

    Members are in time order: who copied whom, and when. With ARTICLE_ID only its cluster is shown.
    """
    from ..dataset.duplicates import duplicates as find

    found = find(directory, article_id, revision=revision)
    if as_json:
        print_json(found)
        return
    if not found:
        say("no article has a near-copy")
    for cluster in found[:_CLUSTERS]:
        say(f"{cluster.duplicate_cluster}: {plural(len(cluster.members), 'article')}")
        for number, member in enumerate(cluster.members):
            say(_member_line(member, is_first=number == 0))
    if len(found) > _CLUSTERS:
        say(f"… and {plural(len(found) - _CLUSTERS, 'more cluster')}; --json lists all")


def _member_line(member: Member, *, is_first: bool) -> str:
    time = f"{member.published_at:%Y-%m-%d %H:%M}" if member.published_at else "no date"
    if is_first:
        similarity = "first"
    else:
        similarity = "-" if member.similarity is None else f"{member.similarity:.2f}"
    return (
        f"  {time:<16} {similarity:>6}  {member.split:<10} {member.publisher or '-'}  {member.title or ''}"
        f"  {member.article_id}"
    )


@click.command()
@click.argument("old", metavar="OLD", type=VERSION)
@click.argument("new", metavar="NEW", type=VERSION)
@json_option
def diff(old: str, new: str, as_json: bool) -> None:
    """Show which rows differ between two versions.

    Rows were added, changed, removed or moved; the version bump that this asks for is shown, too. OLD and NEW are folders,
    or versions on the Hub (owner/name@1.0.0).
    """
    from ..dataset.describe import diff as compare

    found = compare(old, new)
    if as_json:
        print_json(found)
        return
    say(f"{found.old} → {found.new}: {found.bump or 'nothing differs'}")
    for reason in found.reasons:
        say(f"  {in_number(reason)}")
    for change in found.changes[:_CHANGES]:
        what = ""
        if change.columns:
            what = f" ({', '.join(change.columns)})"
        elif change.old_path:
            what = f" from {change.old_path}"
        say(f"    {change.config} {change.kind} {change.key}{what}")
    if len(found.changes) > _CHANGES:
        say(f"    … and {len(found.changes) - _CHANGES:,} more; --json lists all")


@click.command()
@click.argument("file", type=FOLDER)
@json_option
def parse(file: Path, as_json: bool) -> None:
    """Read one post and show what was understood, as JSON."""
    from ..parsing.post import parse_post
    from ..schema import Reject

    try:
        found = parse_post(file)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise CallError(reason, path=file, hint="give the path of one post") from error
    print_json(found)
    if isinstance(found, Reject):
        raise click.exceptions.Exit(1)
    if found.issues and not as_json:
        warn(f"issues: {', '.join(found.issues)}")


@click.command()
@click.argument("directory", metavar="[DIR|REPO]", type=VERSION, required=False)
@click.option("--template", is_flag=True, help="Print newsdata's own dataset_card.md, to write yours from.")
@click.option("--check", is_flag=True, help="Fail when dataset_card.md and the data disagree.")
@click.option("--card", type=FOLDER, help="Your prose for the card (default: newsdata's own).")
@revision_option
def card(directory: str | None, template: bool, check: bool, card: Path | None, revision: str | None) -> None:
    """Print the card of a version, or check a card against the data."""
    from ..card.readme import check_card, read_card
    from ..dataset.open_version import find_version
    from ..storage.reading import read_text_file

    if template:
        say(*read_card().removesuffix("\n").split("\n"))
        return
    if directory is None:
        raise click.UsageError("name a version, or give --template")
    version = find_version(directory, revision)
    if not check:
        say(*read_text_file(version.folder, "README.md").split("\n"))
        return
    faults = check_card(read_card(card), version.manifest)
    if faults:
        for fault in faults:
            warn(f"  {fault}")
        count = plural(len(faults), "difference")
        raise DriftError(f"the card and the data disagree: {count}", path=card or "dataset_card.md", faults=faults)
    say(f"{card or 'dataset_card.md'} agrees with {version.folder}")
