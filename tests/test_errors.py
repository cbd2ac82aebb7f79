from __future__ import annotations

import inspect
import pickle
from pathlib import Path

import pytest

from newsdata import errors
from newsdata.errors import DataError, DriftError, NewsdataError, RejectsError, VerifyError, first_line, shown

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, NewsdataError)]


def test_the_message_says_where_what_and_what_to_do() -> None:
    error = NewsdataError("no title", path=Path("a/b.md"), line=3, field="title", hint="add one")
    assert str(error) == "a/b.md, line 3, title: no title; add one"
    assert (error.reason, error.path, error.line, error.field, error.hint) == (
        "no title", "a/b.md", 3, "title", "add one",
    )  # fmt: skip
    assert str(NewsdataError("no title")) == "no title"
    assert str(NewsdataError("no title", field="title")) == "title: no title"


def test_what_does_not_print_is_escaped_in_paths() -> None:
    assert str(NewsdataError("empty", path="a\x1b[2J\nb")) == "a\\x1b[2J\\nb: empty"
    assert shown("新闻 a") == "新闻 a" and shown("\udcff") == "\\udcff"


@pytest.mark.parametrize("kind", KINDS)
def test_the_exit_code_tells_data_from_calls(kind: type[NewsdataError]) -> None:
    assert kind.exit_code == (1 if issubclass(kind, DataError) else 2)


@pytest.mark.parametrize("kind", KINDS)
def test_the_tree_on_top_of_the_module_is_the_tree_of_the_classes(kind: type[NewsdataError]) -> None:
    assert errors.__doc__ is not None
    line = next(line for line in errors.__doc__.splitlines() if f" {kind.__name__} " in line)
    assert line.index(kind.__name__) == 4 * (len(kind.__mro__) - 3)
    assert kind.__name__ in errors.__all__


@pytest.mark.parametrize(
    "error",
    [
        NewsdataError("a", path="p", line=1, field="f", hint="h"),
        RejectsError("a", rejects=("r",), hint="h"),
        VerifyError("a", path="p", faults=("x", "y")),
        DriftError("a", faults=("x",)),
    ],
)
def test_an_error_comes_back_from_another_process_unchanged(error: NewsdataError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_a_message_is_safe_to_print_whatever_it_quotes() -> None:
    error = NewsdataError("the server says \x1b[31m\u202ered\nand more", path="a\x07", hint="see \x9b1m")
    assert str(error) == "a\\x07: the server says \\x1b[31m\\u202ered\nand more; see \\x9b1m"
    assert error.reason.isascii() and error.hint == "see \\x9b1m"


def test_a_long_line_of_another_library_is_cut_between_words() -> None:
    line = "a cluster needs a token " * 20
    assert first_line(ValueError(line)) == "a cluster needs a token " * 12 + "a cluster …"
    assert first_line(ValueError("x" * 400)) == "x" * 300 + " …"
