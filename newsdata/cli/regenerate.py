"""The command `regenerate`: fetch the archive, build, verify, publish. For cron and CI."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..counts import noun
from ..errors import NewsdataError
from ..objects import Objects, is_object_url
from .fetch import fetch as run_fetch
from .options import OUT, build_options, verbose_option
from .output import say, warn

if TYPE_CHECKING:
    from ..building.build import Build

__all__ = ["regenerate"]


@click.command()
@click.argument("source")
@click.argument("out", type=OUT)
@click.option("--fetch", metavar="COMMAND", help="Run this first, without a shell, as in 'git -C repo pull'; or none.")
@click.option("--fetch-shell", metavar="LINE", help="Run this line of /bin/sh first.")
@click.option("--publish", metavar="REPO", help="Send the version there if it is good and not there yet.")
@click.option("--full-text", is_flag=True, help="Send the publishers' text, too. Whether you may is your decision.")
@build_options
@verbose_option
def regenerate(
    source: str,
    out: str,
    fetch: str | None,
    fetch_shell: str | None,
    publish: str | None,
    full_text: bool,
    **options: Any,
) -> None:
    """Fetch, build, verify and publish, for cron.

    One line on stdout says what was done; stderr is empty unless something needs attention. A step that fails ends the run.
    """
    if fetch is not None and fetch_shell is not None:
        raise click.UsageError("--fetch and --fetch-shell exclude each other")
    try:
        with _one_run(out):  # from before the fetch on
            begin = time.monotonic()
            if failed := run_fetch(fetch, fetch_shell):
                _fail(f"fetch: {failed}", 2)
            _run(source, out, publish, full_text, options, begin)
    except NewsdataError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}", 2)
    except KeyboardInterrupt:
        _fail("stopped; the versions are as they were", 130)


def _one_run(out: str) -> AbstractContextManager[object]:
    """A context in which no other run works on OUT."""
    from ..building.workspace import WORK, locked
    from ..graph.lease import leased
    from ..storage.version_place import check_holds_versions

    if is_object_url(out):
        check_holds_versions(Objects(url=out), out)
        return leased(Objects(url=out), "run", name=f"{WORK}/regenerate.json")
    return locked(Path(out), "regenerate.lock", "run")


def _run(source: str, out: str, target: str | None, full_text: bool, options: dict[str, Any], begin: float) -> None:
    """Build, verify, publish, and say what was done."""
    from ..building.build import build
    from ..dataset.open_version import find_version
    from ..maintenance.verify import verify
    from ..publishing.publish import publish

    made = build(source, out, **options)
    faults = verify(made.address).faults
    if (yanked := find_version(made.address).yanked) is not None:
        since = "it was marked during this run" if made.created else "nothing changed since"
        _fail(f"{made.version} was yanked ({yanked}), and {since}; build another version with --version", 1)
    for note in made.notes:
        warn(f"regenerate: note: {note}")
    published = ""
    if target and not faults:
        sent = publish(made.address, target, full_text=full_text)
        published = ", published before" if sent.already else f", published to {sent.target}"
    seconds = time.monotonic() - begin
    say(f"{_time()} regenerate: {_state(made)}, {_count(len(faults), 'fault')}{published}, {seconds:.1f} s")
    for fault in faults:
        warn(f"regenerate: {fault}")
    if faults:
        raise click.exceptions.Exit(1)


def _state(made: Build) -> str:
    """Version, what became of it, and its counts."""
    counts, difference = made.manifest.accounting, made.difference
    state = "built" if made.created else "unchanged"
    if made.created and difference and difference.bump:
        state += f" ({difference.bump} since {difference.old})"
    numbers = ", ".join(_count(counts[f"{name}s"], name) for name in ("post", "article", "reject"))
    return f"{made.version} {state}: {numbers}"


def _count(count: int, name: str) -> str:
    """A count and its noun, without commas: the line is for programs, too."""
    return f"{count} {noun(count, name)}"


def _fail(reason: str, code: int) -> NoReturn:
    warn(f"{_time()} regenerate: failed: {reason}")
    raise click.exceptions.Exit(code)


def _time() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
