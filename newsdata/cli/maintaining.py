"""Commands for versions that were built: `verify`, `yank`, `prune`, `redact`, `rehydrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..counts import file_size, plural
from ..errors import shown
from .options import FOLDER, VERSION, WholeNumber, json_option, num_proc_option, quiet_option, verbose_option
from .output import Styled, ask, print_json, say, say_wrapped, warn
from .progress import progress_bar

if TYPE_CHECKING:
    from ..maintenance.verify import Verified
    from ..publishing.erase import Erasure

__all__ = ["prune", "redact", "rehydrate", "verify", "yank"]

_LISTED = 20  # missing files that are listed


@click.command()
@click.argument("directory", metavar="DIR|REPO", type=VERSION)
@click.option("--revision", metavar="X.Y.Z", help="Only this version, or a range such as 1.*; by default all in DIR.")
@click.option(
    "--recompute", type=WholeNumber(1), metavar="N", help="Also make N rows anew from --source and compare them."
)
@click.option("--source", metavar="SOURCE", help="The archive, for --recompute.")
@verbose_option
@json_option
def verify(directory: str, revision: str | None, recompute: int | None, source: str | None, as_json: bool) -> None:
    """Check versions, and list every fault.

    Hashes, schema, counts, offsets and splits are checked; in a folder of versions those of all versions, and the cache.
    Of a repository on the Hub (owner/name@1.0.0), one version is fetched and checked. Ends with 2 if no row could be made
    anew from SOURCE.
    """
    from ..dataset.open_version import named_repository
    from ..maintenance.verify import verify as check

    asked: dict[str, Any] = {"recompute": recompute, "source": source}
    found = check(directory, revision=revision, **{name: value for name, value in asked.items() if value is not None})
    repository = named_repository(directory, revision)
    place = f"{repository[0]}@{found.version}" if repository else found.path
    if as_json:
        print_json(found)
    else:
        _say_verified(found, str(place))
    if found.faults:
        raise click.exceptions.Exit(1)
    if found.recomputed == 0:
        raise click.exceptions.Exit(2)


def _say_verified(found: Verified, place: str) -> None:
    """Print a line for each check, then what is wrong, what was left out and what to do, and the sum."""
    for check in found.checks:
        state = Styled("FAILED", "bad") if check.faults else Styled("ok    ", "good")
        if check.left_out and not check.faults:
            state = Styled("unsure", "bad")
        say([state, f"  {check.what}"])
    for fault in found.faults:
        say(fault)
    for label, lines in (
        ("not checked: ", found.not_checked), ("note: ", found.notes), ("to mend it: ", found.remedies),
    ):  # fmt: skip
        for line in lines:
            say_wrapped(label, line)
    if found.recomputed == 0:
        say(f"{place}: not recomputed: no row could be made anew from the archive")
    if found.recomputed != 0 or found.faults:
        state = Styled(plural(len(found.faults), "fault"), "bad") if found.faults else Styled("good", "good")
        of = f"{found.recomputed:,} of " if found.recomputed != found.to_recompute else ""
        rows = f", {of}{plural(found.to_recompute or 0, 'row')} recomputed" if found.recomputed else ""
        say([f"{place}: ", state, f" ({plural(found.files, 'file')}, {plural(found.rows, 'row')}{rows})"])


@click.command()
@click.argument("directory", metavar="DIR", type=FOLDER)
@click.option("--reason", help="Why, for those who find it later.")
@click.option("--revision", metavar="X.Y.Z", help="The version, if DIR holds several.")
@click.option("--undo", is_flag=True, help="Take the mark away.")
@click.option("--publish", metavar="REPO", help="Do it in this repository on the Hub, too.")
@json_option
def yank(
    directory: Path, reason: str | None, revision: str | None, undo: bool, publish: str | None, as_json: bool
) -> None:
    """Mark a version as bad.

    "The newest version" and ranges skip it, loading exactly it warns, and publish refuses it. With --publish this is so for
    everybody, and the main branch of REPO moves to the newest good version.
    """
    from ..publishing.yank import yank as mark

    done = mark(
        directory, reason=reason, revision=revision, undo=undo, publish=publish,
        report=warn,
    )  # fmt: skip
    if as_json:
        print_json(done)
        return
    say(f"{done.path}: {'not yanked any more' if undo else 'yanked'}")
    if done.published is None:
        warn("published copies are untouched: --publish REPO does the same in a repository on the Hub")
    else:
        main = done.published.main or "no version, because none is good"
        say(f"{done.published.repo_id}: the main branch holds {main}")


@click.command()
@click.argument("out", type=FOLDER)
@click.option("--keep", type=WholeNumber(1), required=True, help="How many good versions stay, the newest ones.")
@json_option
def prune(out: Path, keep: int, as_json: bool) -> None:
    """Remove old versions, and unused files of the cache.

    The oldest versions in OUT are removed, and what the newest version does not use of the cache.
    """
    from ..maintenance.prune import prune as remove

    done = remove(out, keep=keep)
    if as_json:
        print_json(done)
        return
    say(f"Removed {', '.join(done.removed) or 'no version'}; kept {', '.join(done.kept)}")
    say(f"  {file_size(done.freed)} became free; of the cache, {plural(done.cache_entries, 'file')} went")


@click.command()
@click.argument("out", type=FOLDER)
@click.argument("article_id", metavar="ID")
@click.option("--reason", required=True, help="Why; it becomes part of the ledger, which is published.")
@click.option("--publish", metavar="REPO", help="Erase it from this repository on the Hub, too.")
@click.option("--full-text", is_flag=True, help="Send the publishers' text to a REPO that has none so far.")
@click.option("--yes", is_flag=True, help="Do not ask before REPO is changed.")
@json_option
def redact(
    out: Path, article_id: str, reason: str, publish: str | None, full_text: bool, yes: bool, as_json: bool
) -> None:
    """Keep an article out of every later version.

    ID is the article's id. The versions in OUT that still hold it are listed. With --publish the newest version, which must
    be built after the redaction, is published to REPO, and everything in REPO that reaches the article is removed.
    """
    from ..publishing.redact import redact as take_out

    def confirm(found: Erasure) -> bool:
        _show_erasure(found)
        return yes or ask("This cannot be undone. Do it?")

    done = take_out(
        out, article_id, reason=reason, publish=publish, full_text=full_text, confirm=confirm,
        report=warn,
    )  # fmt: skip
    if as_json:
        print_json(done)
        return
    known = "" if " ".join(reason.split()) == done.reason else " (the reason in the ledger; it stays)"
    say(f"{article_id} will be in no later version: {done.reason}{known}")
    for version in done.held_by:
        say(f"  {version} still holds it")
    for damaged in done.unread:
        say(f"  {damaged}; it may hold the article, too")
    if done.copies:
        say(f"  these articles stay; each is a near-copy or once had its title: {', '.join(done.copies)}")
    if done.erased is None:
        warn("published copies are untouched: --publish REPO erases it from a repository on the Hub")
    elif not done.erased.is_needed:
        say(f"{done.erased.repo_id}: no version, branch or pull request holds it; nothing was changed")
    else:
        say(f"{done.erased.repo_id}: holds {done.erased.version}, and no version, branch or tag reaches the article")
        for note in done.erased.notes:
            say(f"  note: {note}")


def _show_erasure(found: Erasure) -> None:
    """Say what will be done in a repository."""
    lines = (
        ("published, if it is not there yet", (found.version,)),
        ("tags of versions that hold the article, deleted", found.tags),
        ("branches that hold it, deleted", found.branches),
        ("branches that lose their history", found.squashed),
        ("tags set anew, on a commit without history", found.moved),
        ("pull requests that reach it, and stay", tuple(map(str, found.pull_requests))),
        ("large files deleted for good", (str(found.large_files),)),
    )
    warn(f"In {found.repo_id}:")
    for what, names in lines:
        if names:
            warn(f"  {what}: {', '.join(names)}")


@click.command()
@click.argument("directory", metavar="DIR|REPO", type=VERSION)
@click.argument("source")
@click.argument("out", type=FOLDER)
@click.option(
    "--partial", is_flag=True, help="Write what can be made if posts are missing or changed, as OUT/X.Y.Z-partial."
)
@num_proc_option
@quiet_option
@verbose_option
@json_option
def rehydrate(
    directory: str, source: str, out: Path, partial: bool, num_proc: int | None, quiet: bool, as_json: bool
) -> None:
    """Add the text to a text-free version.

    The full version is built in OUT from a copy of the archive, SOURCE, and must equal the hashes that the version in DIR
    stores. A version on the Hub is written owner/name or owner/name@1.0.0.
    """
    from ..maintenance.rehydrate import rehydrate as make_full

    with progress_bar(quiet=quiet) as progress:
        made = make_full(directory, source, out, partial=partial, num_proc=num_proc, progress=progress)
    if as_json:
        print_json(made)
        return
    if made.missing:
        say(
            f"Built {made.path}: {made.rows:,} of {plural(made.of_rows, 'row')} of {made.version}; "
            f"{made.shards:,} of {plural(made.of_shards, 'shard')} have the rows of the full build"
        )
        for one in made.missing[:_LISTED]:
            say(f"  {one.reason}: {shown(one.path)}")
        if len(made.missing) > _LISTED:
            say(f"  … and {len(made.missing) - _LISTED:,} more; --json lists all")
        return
    what = "bytes" if made.same_bytes else "rows, in other bytes,"
    say(f"Built {made.path}: {plural(made.shards, 'shard')} with the {what} of the full build")
    if quiet:
        return
    if made.other_posts:
        say(f"  left out: {plural(made.other_posts, 'post')} that {made.version} does not have")
    for name, (then, here) in made.tools.items():
        say(f"  {name} {here} is installed; the full build had {then}")
