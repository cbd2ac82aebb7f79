"""An extension of griffe, for `make docs`: fits this project's docstrings to what the site's reference can show.

Examples (`>>> …`) become blocks of code; Markdown would take `>>>` for three quotations in each other. Arguments that share
a line (`since, until: …`) get a line each; else the reference would not know their types and defaults.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

__all__ = ["Fitting", "with_code_blocks", "with_one_name_a_line"]

_EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", re.MULTILINE)
_DIRECTIVE = re.compile(r" *# doctest: .*")
_SHARED_LINE = re.compile(r"^    ((?:\w+,\s+)+\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)


def with_code_blocks(docstring: str) -> str:
    """A docstring with each example, up to the next blank line, in a block of code."""
    return _EXAMPLE.sub(lambda found: f"```pycon\n{_DIRECTIVE.sub('', found[0])}\n```", docstring)


def with_one_name_a_line(docstring: str) -> str:
    """A docstring in which each argument, attribute or error has a line of its own.

    >>> with_one_name_a_line("Args:\\n    since, until: a day.")
    'Args:\\n    since: a day.\\n    until: a day.'
    """
    return _SHARED_LINE.sub(
        lambda found: "\n".join(f"    {name}: {found[2]}" for name in re.split(r",\s+", found[1])), docstring
    )


class Fitting(griffe.Extension):
    """Rewrites every docstring that griffe reads."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of one module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = with_code_blocks(with_one_name_a_line(obj.docstring.value))
