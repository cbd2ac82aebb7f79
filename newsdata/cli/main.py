"""The command line: its commands and exit codes. The one place where errors end.

Exit codes: 0 good, 1 the data is at fault, 2 the call or the machine is, 130 stopped, 141 nobody read the output to its end,
as in `newsdata card out | head -1`. Answers go to stdout (with `--json` as one JSON object), progress and messages to stderr.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import NoReturn

import click

from ..errors import MachineError, NewsdataError
from ..graph.process import MEMORY, STOPS, interrupt_on_signals
from .build import build
from .explore import explore
from .info import info
from .inspecting import card, diff, duplicates, parse, where
from .maintaining import prune, redact, rehydrate, verify, yank
from .mentions import mentions
from .output import complain, complain_about_call, make_foreign_messages_safe
from .publish import publish
from .regenerate import regenerate
from .show import show

__all__ = ["cli", "main"]


_UNREAD = 141  # what a shell shows of a program that SIGPIPE ended


class _Commands(click.Group):
    """The commands, listed with whole summaries: click would cut them after 45 characters."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(500)) for name, command in self.commands.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="newsdata", message="%(prog)s %(version)s")
def cli() -> None:
    """Package an archive of Jekyll news posts as a versioned, leak-free research dataset in Parquet."""


cli.add_command(build)
cli.add_command(regenerate)
cli.add_command(info)
cli.add_command(show)
cli.add_command(explore)
cli.add_command(where)
cli.add_command(duplicates)
cli.add_command(mentions)
cli.add_command(diff)
cli.add_command(parse)
cli.add_command(card)
cli.add_command(verify)
cli.add_command(yank)
cli.add_command(prune)
cli.add_command(redact)
cli.add_command(rehydrate)
cli.add_command(publish)


def main() -> NoReturn:
    """Run the command line and exit; an error ends here as one message and an exit code."""
    _open_standard_streams()
    os.environ |= MEMORY | dict(os.environ)
    gc.set_threshold(500_000)  # many records and hardly any reference cycles: fewer collections
    interrupt_on_signals()
    make_foreign_messages_safe()
    code = _run()
    for late in STOPS:  # everything is done: a stop would only spoil the exit code
        signal.signal(late, signal.SIG_IGN)
    gc.freeze()  # saves the interpreter a last collection of everything, a tenth of a second
    sys.exit(code)


def _run() -> int:
    """Run the command, and say what went wrong; returns the exit code."""
    try:
        code = cli.main(prog_name="newsdata", standalone_mode=False) or 0
        sys.stdout.flush()
        return int(code)
    except NewsdataError as error:
        complain(str(error))
        return error.exit_code
    except click.ClickException as error:
        complain_about_call(error)
    except (KeyboardInterrupt, click.Abort):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        complain("stopped; earlier versions are unchanged, and the same command continues from here")
        return 130
    except (BrokenPipeError, SystemExit):  # nobody reads our output any more; click turns that into a SystemExit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _UNREAD
    except MemoryError:
        complain("the machine ran out of memory; try --num-proc 1")
    except ImportError as error:
        complain(f"a library cannot be loaded ({error}); install newsdata again, or allow it more memory")
    except UnicodeEncodeError:
        complain("the locale cannot encode a path that is needed; run the same command with PYTHONUTF8=1")
    except OSError as error:
        complain(str(MachineError(f"the system said: {error.strerror or error}", path=error.filename)))
    return 2


def _open_standard_streams() -> None:
    """Point closed standard streams to /dev/null. Otherwise the next file that is opened would get their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        if getattr(sys, name) is None:
            stream = os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False)
            setattr(sys, name, stream)
