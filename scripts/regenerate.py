"""Make the next version of a dataset: fetch the archive, build, verify, publish. Prints one line. For cron and CI.

    python scripts/regenerate.py SOURCE OUT [--fetch COMMAND] [--publish REPO [--full-text]]

A build keeps some options of the version before (text, history, drafts, card). To choose them, build the first version by
hand.

Exit codes are those of the command line: 0 good, 1 the data is at fault, 2 the call or the machine is, 130 stopped. A step
that fails ends the run, so only a version that was verified is published. docs/regenerate.md has recipes.
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
    """Run the script with these arguments (by default those of the command line). Returns the exit code."""
    parser = argparse.ArgumentParser(description="Fetch the archive, then build, verify and publish the next version.")
    parser.add_argument("source", help="the archive")
    parser.add_argument("out", help="the folder that holds the versions")
    parser.add_argument(
        "--fetch",
        metavar="COMMAND",
        help="run this command first, without a shell, for example `git -C repo pull --ff-only`",
    )
    parser.add_argument("--publish", metavar="REPO", help="send the version there if it is good and not there yet")
    parser.add_argument("--full-text", action="store_true", help="also send the publishers' text")
    parser.add_argument("--version", help="the version to build (X.Y.Z)")
    parser.add_argument(
        "--max-reject-share", type=float, help="fail if more than this fraction of the posts is rejected"
    )
    parser.add_argument(
        "--max-leak",
        type=float,
        default=0.0,
        help="fail if more than this fraction of a split has a near-copy in an earlier split (default: 0)",
    )
    parser.add_argument("--num-proc", type=int, help="worker processes (default: one for each core)")
    parser.add_argument("-v", "--verbose", action="store_true", help="log each step on stderr")
    options = parser.parse_args(arguments)
    interrupt_on_signals()  # so that a stopped run ends its fetch and says that it was stopped
    try:
        with (
            log_to_stderr() if options.verbose else nullcontext(),
            locked(Path(options.out), "regenerate.lock", "run"),  # from before the fetch on
        ):
            return _run(options)
    except newsdata.NewsdataError as error:
        return _fail(str(error), error.exit_code)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}", 2)
    except KeyboardInterrupt:
        return _fail("stopped; the versions are as they were", 130)


def _run(options: argparse.Namespace) -> int:
    """Do all steps. Returns the exit code."""
    begin = time.monotonic()
    if options.fetch is not None and (failed := _fetch(options.fetch)):
        return _fail(f"fetch: {failed}", 2)
    made = newsdata.build(
        options.source, options.out, version=options.version, num_proc=options.num_proc,
        max_reject_share=options.max_reject_share, max_leak=options.max_leak,
    )  # fmt: skip
    faults = newsdata.verify(made.path).faults
    if (yanked := newsdata.info(made.path)["yanked"]) is not None:
        since = "it was marked during this run" if made.created else "nothing changed since"
        return _fail(f"{made.version} was yanked ({yanked}), and {since}; build another version with --version", 1)
    for note in made.notes:
        print(f"regenerate: note: {note}", file=sys.stderr)
    published = ""
    if options.publish and not faults:
        sent = newsdata.publish(made.path, options.publish, full_text=options.full_text)
        published = ", published before" if sent.already else f", published to {sent.target}"
    counts, difference = made.manifest.accounting, made.difference
    state = "built" if made.created else "unchanged"
    if made.created and difference and difference.bump:
        state += f" ({difference.bump} since {difference.old})"
    print(
        f"{_time()} regenerate: {made.version} {state}: {counts['posts']} posts, "
        f"{counts['articles']} articles, {counts['rejects']} rejects, {len(faults)} faults{published}, "
        f"{time.monotonic() - begin:.1f} s"
    )
    for fault in faults:
        print(f"regenerate: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _fetch(command: str) -> str | None:
    """Run the command. Returns what went wrong, with the end of its output, or None if all went well.

    Output of a command that succeeds is not shown, so that cron sends no mail.
    """
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
    """End the command and wait for it. It is terminated first, because a killed git leaves locks that stop the next run."""
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
