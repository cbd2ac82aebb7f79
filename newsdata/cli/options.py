"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .output import log_to_stderr

__all__ = [
    "FOLDER",
    "json_option",
    "num_proc_option",
    "quiet_option",
    "revision_option",
    "verbose_option",
]


class _Folder(click.Path):
    """A path that is not empty: an empty one would mean the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty name, which an unset shell variable gives."""
        if value == "":
            self.fail("the name is empty; write . for the current folder", param, ctx)
        return super().convert(value, param, ctx)


def _set_up_logging(context: click.Context, _: click.Parameter, verbose: bool) -> None:
    if verbose:
        context.with_resource(log_to_stderr())


FOLDER = _Folder(path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
revision_option = click.option(
    "--revision", metavar="X.Y.Z", help="A version in DIR, or a range such as 1.*; by default the newest."
)
num_proc_option = click.option(
    "--num-proc", type=click.IntRange(1), help="Worker processes (default: cores available)."
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress bar; one line at the end.")
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, expose_value=False, callback=_set_up_logging, help="Log each step on stderr."
)
