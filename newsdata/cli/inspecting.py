"""Commands that show what is there and change nothing: `where`, `duplicates`, `diff`, `parse`, `card`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..counts import in_number, plural
from ..errors import CallError, DriftError
from .options import FOLDER, VERSION, json_option, revision_option
from .output import Styled, columns, print_json, printable, say, say_wrapped, warn
from .table import NARROW, table, width_of

if TYPE_CHECKING:
    from ..dataset.duplicates import Member

__all__ = ["card", "diff", "duplicates", "parse", "where"]

_CLUSTERS = 20  # clusters that `duplicates` prints for people
_MEMBER = ("time", "likeness", "split", "publisher", "title", "id")  # what stands for a member of a cluster
_CHANGES = 20  # changed rows that `diff` prints for people


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
        say([Styled(f"{name}: {found.became}", "head"), f"{split}{shard}"])
        say_wrapped("  ", found.why)
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
    room = columns()
    header = _MEMBER if room and room < NARROW else [""] * len(_MEMBER)
    for cluster in found[:_CLUSTERS]:
        members = cluster.members
        cells = [_member(members, at) for at in range(len(members))]
        say([Styled(f"{cluster.duplicate_cluster}: {plural(len(members), 'article')}", "head")])
        say(*table(header, cells, room=room, right=[1], flexible=4, indent=""))
    if len(found) > _CLUSTERS:
        say(f"… and {plural(len(found) - _CLUSTERS, 'more cluster')}; --json lists all")


def _member(members: Sequence[Member], at: int) -> list[str | Styled]:
    """The cells of a member of a cluster, as a branch of a tree."""
    member = members[at]
    branch = "└─" if at + 1 == len(members) else "├─"
    time = f"{member.published_at:%Y-%m-%d %H:%M}" if member.published_at else "no date"
    likeness = "-" if member.similarity is None else f"{member.similarity:.2f}"
    return [
        f"{branch} {time}", likeness if at else "first", member.split, member.publisher or "-", member.title or "",
        Styled(member.article_id, "quiet"),
    ]  # fmt: skip


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
    say([Styled(f"{found.old} → {found.new}: {found.bump or 'nothing differs'}", "head")])
    for reason in found.reasons:
        say_wrapped("  ", in_number(reason))
    room = columns()
    for change in found.changes[:_CHANGES]:
        what = f"({', '.join(change.columns)})" if change.columns else ""
        if change.old_path and not what:
            what = f"from {change.old_path}"
        row = f"    {change.config:<9} {change.kind:<8} {change.key}"
        if what and room and width_of(printable(f"{row}  {what}")) > room:
            say(row)
            say_wrapped("      ", what)
        else:
            say(f"{row}  {what}".rstrip())
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
        say(*read_text_file(version.with_files(["README.md"]), "README.md").split("\n"))
        return
    faults = check_card(read_card(card), version.manifest)
    if faults:
        for fault in faults:
            warn(f"  {fault}")
        count = plural(len(faults), "difference")
        raise DriftError(f"the card and the data disagree: {count}", path=card or "dataset_card.md", faults=faults)
    say(f"{card or 'dataset_card.md'} agrees with {version.folder}")
