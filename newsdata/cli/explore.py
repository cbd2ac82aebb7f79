"""The command `explore`."""

from __future__ import annotations

import importlib.util
import sys

import click

from ..errors import CallError
from .options import VERSION, Number, WholeNumber, revision_option
from .output import complain, say

__all__ = ["explore"]

_NEEDED = ("starlette", "uvicorn", "jinja2", "polars")


@click.command()
@click.argument("directory", metavar="DIR", type=VERSION, required=False)
@click.option("--port", type=WholeNumber(0, 65535), default=8765, show_default=True, help="Port; 0 for any free one.")
@click.option("--open/--no-open", "open_browser", default=None, help="Open a browser (default: at a terminal only).")
@click.option(
    "--allow-host", "allowed_hosts", metavar="HOST:PORT", multiple=True,
    help="Also answer this name: for ssh -L or a notebook's proxy.",
)  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Keep no copies of texts of large versions in your cache folder.")
@click.option(
    "--cache-size", type=Number(0.1, 1_000_000), default=8.0, show_default=True, help="GB that they may take."
)
@click.option("--clear-cache", is_flag=True, help="Remove these copies; without DIR, do nothing else.")
@revision_option
def explore(
    directory: str | None,
    port: int,
    open_browser: bool | None,
    allowed_hosts: tuple[str, ...],
    no_cache: bool,
    cache_size: float,
    clear_cache: bool,
    revision: str | None,
) -> int:
    """Look at a version in a browser: search, filter, compare, export.

    DIR is a version, a folder of versions, or a repository on the Hub. The page is on this machine only; its address is
    the first line that is printed. Ctrl-C ends it.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CallError(
            f"the page needs {', '.join(missing)}", hint="install the extra: pip install 'newsdata[explore]'"
        )
    from ..graph.process import do_without_pandas

    if "pandas" not in sys.modules:
        do_without_pandas()
    from ..explorer.serve import open_library, serve, take_port
    from ..explorer.text_cache import cache_folder
    from ..explorer.text_cache import clear_cache as clear

    if clear_cache:
        complain(f"removed {clear(cache_folder()) / 1e6:,.1f} MB from {cache_folder()}")
    if directory is None:
        if clear_cache:
            return 0
        raise click.UsageError("Missing argument 'DIR'.")

    def ready(address: str) -> None:
        say(address)
        sys.stdout.flush()
        if open_browser or (open_browser is None and sys.stdout.isatty()):
            import webbrowser

            webbrowser.open(address)

    try:
        with take_port(port) as listening:
            library = open_library(directory, revision, cache_bytes=None if no_cache else int(cache_size * 1e9))
            if port not in (0, taken := listening.getsockname()[1]):
                complain(f"port {port} is taken, so this is {taken}")
            serve(library, listening, allowed_hosts=allowed_hosts, ready=ready)
    except KeyboardInterrupt:
        complain("stopped")
        return 130
    return 0
