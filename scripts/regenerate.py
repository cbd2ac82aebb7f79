"""Regenerate the dataset from its archive: build the next version, verify it, say so in one line. For cron.

    python scripts/regenerate.py SOURCE OUT [--version X.Y.Z]

Exit codes are those of the command line: 0 good, 1 the data is at fault, 2 the call or the machine is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import newsdata


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build and verify the next version of a dataset, quietly.")
    parser.add_argument("source", help="the archive")
    parser.add_argument("out", help="the folder that holds the versions")
    parser.add_argument("--version", help="the version to build (X.Y.Z)")
    parser.add_argument("--num-proc", type=int, help="worker processes")
    options = parser.parse_args(arguments)
    try:
        made = newsdata.build(options.source, options.out, version=options.version, num_proc=options.num_proc)
        checked = newsdata.verify(made.path)
    except newsdata.NewsdataError as error:
        print(f"regenerate: failed: {error}", file=sys.stderr)
        return error.exit_code
    counts = made.manifest.accounting
    print(
        f"regenerate: {made.version} {'built' if made.created else 'unchanged'}: {counts['posts']} posts, "
        f"{counts['articles']} articles, {counts['rejects']} rejects, {len(checked.faults)} faults"
    )
    for fault in checked.faults:
        print(f"regenerate: {fault}", file=sys.stderr)
    return 1 if checked.faults else 0


if __name__ == "__main__":
    sys.exit(main())
