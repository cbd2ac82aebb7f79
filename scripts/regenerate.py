"""Regenerate the dataset from its archive: fetch, build, verify, publish; one line says how it went. For cron and CI.

    python scripts/regenerate.py SOURCE OUT [--fetch COMMAND] [--publish REPO [--full-text]]

Options that a build keeps from the version before (text, history, drafts, card) are given to the first one by hand.

Exit codes are those of the command line: 0 good, 1 the data is at fault, 2 the call or the machine is, 130 stopped. A step
that fails ends the run: nothing is published that was not built and found good. docs/regenerate.md has recipes.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import newsdata
from newsdata.building.workspace import locked
from newsdata.cli.output import log_to_stderr
from newsdata.graph.process import interrupt_on_signals


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(description="Fetch, build, verify and publish the next version, quietly.")
    parser.add_argument("source", help="the archive")
    parser.add_argument("out", help="the folder that holds the versions")
    parser.add_argument(
        "--fetch", metavar="COMMAND", help="run this first (no shell), `git -C repo pull --ff-only` say"
    )
    parser.add_argument("--publish", metavar="REPO", help="send a good version there, if it is not there yet")
    parser.add_argument("--full-text", action="store_true", help="send the publishers' text, too")
    parser.add_argument("--version", help="the version to build (X.Y.Z)")
    parser.add_argument(
        "--max-reject-share", type=float, help="more rejects than this fraction of the posts fail the build"
    )
    parser.add_argument(
        "--max-leak", type=float, default=0.0, help="share of a split that may have a copy in an earlier one"
    )
    parser.add_argument("--num-proc", type=int, help="worker processes")
    parser.add_argument("-v", "--verbose", action="store_true", help="log each step on stderr")
    options = parser.parse_args(arguments)
    interrupt_on_signals()  # a stopped run says so, and ends what it began
    try:
        with (
            log_to_stderr() if options.verbose else nullcontext(),
            locked(Path(options.out), "regenerate.lock", "run"),  # held before anything is fetched
        ):
            return _run(options)
    except newsdata.NewsdataError as error:
        return _fail(str(error), error.exit_code)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}", 2)
    except KeyboardInterrupt:
        return _fail("stopped; the versions are as they were", 130)


def _run(options: argparse.Namespace) -> int:
    begin = time.monotonic()
    if options.fetch is not None and (failed := _fetch(options.fetch)):
        return _fail(f"fetch: {failed}", 2)
    made = newsdata.build(
        options.source, options.out, version=options.version, num_proc=options.num_proc,
        max_reject_share=options.max_reject_share, max_leak=options.max_leak,
    )  # fmt: skip
    faults = newsdata.verify(made.path).faults
    if (yanked := newsdata.info(made.path)["yanked"]) is not None:
        nothing = "nothing changed since" if not made.created else "it was marked meanwhile"
        return _fail(f"{made.version} was yanked ({yanked}), and {nothing}; build another one with --version", 1)
    for note in made.notes:
        print(f"regenerate: note: {note}", file=sys.stderr)
    published = ""
    if options.publish and not faults:
        sent = newsdata.publish(made.path, options.publish, full_text=options.full_text)
        published = ", published before" if sent.already else f", published to {sent.target}"
    counts, since = made.manifest.accounting, made.difference
    state = "built" if made.created else "unchanged"
    if made.created and since and since.bump:
        state += f" ({since.bump} since {since.old})"
    print(
        f"{_time()} regenerate: {made.version} {state}: {counts['posts']} posts, "
        f"{counts['articles']} articles, {counts['rejects']} rejects, {len(faults)} faults{published}, "
        f"{time.monotonic() - begin:.1f} s"
    )
    for fault in faults:
        print(f"regenerate: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _fetch(command: str) -> str | None:
    """Run the command; what went wrong, None if nothing did. Its output shows only then, so that cron sends no mail."""
    try:
        words = shlex.split(command)
        if not words:
            return "the command is empty"
        pipe = subprocess.PIPE
        with subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, errors="replace"
        ) as process:
            try:
                output, said = process.communicate()
            except KeyboardInterrupt:
                _end(process)
                raise
    except (OSError, ValueError) as error:
        return f"{command}: {error}"
    if process.returncode:
        said = (said.strip() or output.strip())[-2000:]
        return f"{command}: exit code {process.returncode}{f': {said}' if said else ''}"
    return None


def _end(process: subprocess.Popen[str]) -> None:
    """End the command and wait for it. It is asked first: a git that is killed leaves locks that stop the next run."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _fail(reason: str, code: int) -> int:
    print(f"{_time()} regenerate: failed: {reason}", file=sys.stderr)
    return code


def _time() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


if __name__ == "__main__":
    sys.exit(main())
