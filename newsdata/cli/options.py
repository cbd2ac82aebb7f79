"""Arguments and options that several commands have."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..files import expand_home
from .output import log_to_stderr

__all__ = [
    "FOLDER",
    "OUT",
    "VERSION",
    "Number",
    "WholeNumber",
    "build_options",
    "json_option",
    "num_proc_option",
    "quiet_option",
    "revision_option",
    "verbose_option",
]


class _Folder(click.Path):
    """A path that is not empty: an empty one would mean the current folder. A `~` at its beginning is the home folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty name, which an unset shell variable gives; a shell keeps the `~` of `--card=~/x` and of `'~/x'`."""
        if value == "":
            self.fail("the name is empty; write . for the current folder", param, ctx)
        return super().convert(expand_home(value), param, ctx)


class WholeNumber(click.IntRange):
    """A whole number from `min` to `max`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; the error says which ones there are."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(_refused("a whole number", self.min, self.max, value), param, ctx)


class Number(click.FloatRange):
    """A number from `min` to `max`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; the error says which ones there are."""
        try:
            number: float = super().convert(value, param, ctx)
            if math.isfinite(number):
                return number
        except click.BadParameter:
            pass
        self.fail(_refused("a number", self.min, self.max, value), param, ctx)


def _refused(what: str, least: float | None, most: float | None, value: object) -> str:
    span = f"from {least} to {most}" if most is not None else f"of at least {least}"
    return f"must be {what} {span}, got {value!r:.100}"


def _set_up_logging(context: click.Context, _: click.Parameter, verbose: bool) -> None:
    if verbose:
        context.with_resource(log_to_stderr())


FOLDER = _Folder(path_type=Path)
OUT = _Folder()  # as text: it may lie in a bucket, and a `Path` would shorten s3://
VERSION = _Folder()  # as text: a version may also be on the Hub, and a `Path` would shorten hf://

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
revision_option = click.option(
    "--revision", metavar="X.Y.Z", help="A version, or a range such as 1.*; by default the newest."
)
num_proc_option = click.option("--num-proc", type=WholeNumber(1), help="Worker processes (default: cores available).")
quiet_option = click.option("--quiet", is_flag=True, help="No progress bar; one line at the end.")
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, expose_value=False, callback=_set_up_logging, help="Log each step on stderr."
)


def build_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every build may have to a command: those of `build` and of `regenerate`."""
    for option in reversed(_BUILD_OPTIONS):
        command = option(command)
    return command


_BUILD_OPTIONS = (
    click.option("--version", metavar="X.Y.Z", help="The version to build; by default it follows from what changed."),
    click.option("--strict", is_flag=True, help="Any reject fails the build."),
    click.option(
        "--max-reject-share",
        type=Number(0, 1),
        help="Fail when more than this fraction of the files that should be posts are rejects (default: 0.01, and more than 10).",
    ),
    click.option(
        "--max-leak",
        type=Number(0, 1),
        default=0.0,
        show_default=True,
        help="Fail when more than this fraction of a split has a near-copy in an earlier split.",
    ),
    click.option(
        "--text",
        type=click.Choice(["full", "none"]),
        help="none: leave out every field with the publisher's words (default: as in the version before, at first full).",
    ),
    click.option(
        "--history/--no-history",
        default=None,
        help="Read earlier revisions of the posts from a git repository (default: as in the version before, at first no).",
    ),
    click.option(
        "--drafts/--no-drafts",
        default=None,
        help="Read posts below _drafts (default: as in the version before, at first no).",
    ),
    click.option(
        "--card",
        type=FOLDER,
        help="Your prose for the card (default: as in the version before, at first newsdata's own).",
    ),
    num_proc_option,
    click.option(
        "--partitions",
        type=WholeNumber(1),
        metavar="P",
        help="Divide the steps over all posts into P parts, for less memory (default: one for each 500,000 posts).",
    ),
)
