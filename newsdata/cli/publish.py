"""The command `publish`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..counts import file_size, plural
from .options import json_option, revision_option
from .output import ask, print_json, say, warn

if TYPE_CHECKING:
    from ..publishing.plan import Plan, Published

__all__ = ["publish"]


@click.command()
@click.argument("directory", metavar="DIR")
@click.argument("target", metavar="REPO", required=False)
@click.option("--full-text", is_flag=True, help="Send the publishers' text, too. Whether you may is your decision.")
@click.option("--public", is_flag=True, help="Make a new repository public (default: private).")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@click.option("--create-pr", is_flag=True, help="Open a pull request instead of a commit and a tag.")
@click.option("--tag", metavar="X.Y.Z", help="Only tag what the main branch holds: newsdata publish REPO --tag X.Y.Z")
@revision_option
@json_option
def publish(
    directory: str,
    target: str | None,
    full_text: bool,
    public: bool,
    dry_run: bool,
    yes: bool,
    create_pr: bool,
    tag: str | None,
    revision: str | None,
    as_json: bool,
) -> None:
    """Send a version to the Hub, a folder or a bucket.

    REPO is owner/name, the path of a folder (starting with /, . or ~), or an address such as s3://… A repository gets one
    commit, then the tag. With --create-pr it gets a pull request; `newsdata publish REPO --tag X.Y.Z` tags the version once
    that is merged.
    """
    from ..publishing.publish import is_repository
    from ..publishing.publish import plan as make_plan
    from ..publishing.publish import publish as send

    if tag is not None:
        if target is not None or full_text or public or dry_run or create_pr or revision:
            raise click.UsageError("--tag sends nothing: write newsdata publish REPO --tag X.Y.Z")
        _tag(directory, tag, as_json)
        return
    if target is None:
        raise click.UsageError("Missing argument 'REPO'.")
    if public and not is_repository(target):
        raise click.UsageError(
            "--public goes with a repository on the Hub; who can read a folder or bucket is set there"
        )
    if dry_run:
        planned = make_plan(directory, target, revision=revision, private=not public)
        _show(target, planned, full_text, as_json)
        _note_on_quick_start(directory, target, planned)
        return

    def confirm(found: Plan) -> bool:
        _show_counts(str(target), found)
        _note_on_quick_start(directory, str(target), found)
        return yes or ask("Send it?")

    done = send(
        directory, target, revision=revision, full_text=full_text, private=not public, create_pr=create_pr,
        confirm=confirm, report=warn,
    )  # fmt: skip
    if as_json:
        print_json(done)
    elif done.already:
        say(f"{done.version} is there already, with the same content; nothing was sent")
    else:
        size = f"{plural(len(done.sent), 'file')}, {file_size(done.bytes)}"
        _say_where(done, size)


def _note_on_quick_start(directory: str, target: str, plan: Plan) -> None:
    """Say so if the card of a version that goes to a repository does not tell how to load it from there."""
    from ..dataset.describe import info

    if plan.private is None:  # a folder or bucket
        return
    named = info(directory, revision=plan.version)["repository"]
    if named != target:
        loads = f"from {named}" if named else "a downloaded folder"
        warn(f"note: the card's quick start loads {loads}; `repository: {target}` in the card's header changes that")


def _say_where(done: Published, size: str) -> None:
    """Print what was sent where."""
    if done.pull_request is None:
        commit = f" as commit {done.commit}, tag {done.tag}" if done.commit else ""
        say(f"Published {done.version} to {done.target}{commit}: {size}, verified")
        return
    number = done.pull_request.rsplit("/", 1)[-1]
    say(f"Opened pull request {number} with {done.version}: {done.pull_request} ({size}, verified)")
    say(f"  once it is merged: newsdata publish {done.target} --tag {done.version}")


def _tag(repo_id: str, version: str, as_json: bool) -> None:
    """Tag a version that is on the main branch."""
    from ..publishing.tag import tag_version

    done = tag_version(repo_id, version, report=warn)
    if as_json:
        print_json(done)
    elif done.already:
        say(f"{done.target}: the tag {done.tag} is there already, on commit {done.commit}")
    else:
        say(f"{done.target}: tagged commit {done.commit} as {done.tag}; all hashes are equal")


def _show(target: str, plan: Plan, full_text: bool, as_json: bool) -> None:
    """Print a plan that is not carried out."""
    _show_counts(target, plan)
    if plan.full_text and not full_text:
        warn("it holds the publishers' text: sending it needs --full-text")
    if as_json:
        print_json(plan)
        return
    for label, paths in (("new", plan.new), ("changed", plan.changed), ("deleted", plan.deleted)):
        for path in paths:
            say(f"  {label:8} {path}")


def _show_counts(target: str, plan: Plan) -> None:
    kind = "" if plan.private is None else f" ({'private' if plan.private else 'public'})"
    new = " (will be created)" if plan.create else ""
    warn(
        f"{plan.version} to {target}{kind}{new}: {len(plan.new)} new, {len(plan.changed)} changed, "
        f"{len(plan.deleted)} deleted, {plural(len(plan.unchanged), 'unchanged file')}; {file_size(plan.bytes)} to send"
    )
