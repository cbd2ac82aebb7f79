"""What the values of a front matter mean: text, null, false, lists of names, merge keys.

The rules are those of Ruby's YAML reader, Psych, and of Jekyll. A value of another type than text is kept as it is
written.
"""

from __future__ import annotations

import json
import re

from .yaml_text import Alias, HostileYamlError, Mapping, Scalar

__all__ = ["as_written", "is_false", "is_null", "is_text", "merged", "names", "target_of"]

# What Psych reads as another type than text: YAML 1.1's null, booleans, numbers, base-60 numbers, dates and times.
_NOT_TEXT = re.compile(
    r"""~|null|yes|no|true|false|on|off
      | [-+]?(?:0b[01_,]+|0x[\da-f_,]+|\d[\d_,]*)
      | [-+]?(?=\.?\d)(?:\d[\d_,]*)?\.\d*(?:e[-+]\d+)?
      | [-+]?\.inf|\.nan
      | [-+]?\d[\d_]*(?::[0-5]?\d){1,2}(?:\.[\d_]*)?
      | \d{4}-\d{1,2}-\d{1,2}(?:(?:t|\ +)\d{1,2}:\d\d:\d\d.*)?""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_BLANKS = re.compile(r"[ \t\n\v\f\r]+")
_MAX_NAMES = 10_000
_MAX_MERGE_DEPTH = 16


def is_null(value: object) -> bool:
    """Whether a value is null: absent, empty, `~` or `null`, without quotes."""
    return value is None or (isinstance(value, Scalar) and value.plain and value.lower() in ("", "~", "null"))


def is_false(value: object) -> bool:
    """Whether Ruby treats a value as false: null, `false`, `no` or `off`.

    >>> is_false(Scalar("no", plain=True)), is_false(Scalar("no", plain=False))
    (True, False)
    """
    if isinstance(value, Scalar):
        return value.plain and value.lower() in ("", "~", "null", "false", "no", "off")
    return value is None or value is False


def is_text(value: str) -> bool:
    """Whether Psych reads a scalar as text, not as a number, boolean, date or null.

    >>> is_text(Scalar("1.10", plain=True)), is_text(Scalar("1.10", plain=False))
    (False, True)
    """
    return not (isinstance(value, Scalar) and value.plain and _NOT_TEXT.fullmatch(value))


def as_written(value: object, written: str | None) -> str:
    """A value as text: a string as it is, else as it is `written` in the file, else as JSON."""
    if isinstance(value, str):
        return str(value)
    return written if written and not written.startswith("*") else json.dumps(value, ensure_ascii=False)


def names(value: object, written: str | None, issues: list[str], *, split: bool) -> list[str]:
    """Read categories or tags: a string, split at white space, or a list, each item as it is.

    Args:
        value: of the key.
        written: the value as it is written in the file, if known.
        issues: the code "value-not-text" is added if something is not text.
        split: whether to split a string; if not, it is one name.

    Raises:
        HostileYamlError: there are too many names.

    >>> names("a b", None, [], split=True), names("a b", None, [], split=False)
    (['a', 'b'], ['a b'])
    >>> names(["a b", ["c"]], None, [], split=True)
    ['a b', 'c']
    """
    if is_null(value):
        return []
    if isinstance(value, str) and is_text(value):
        if not split:
            return [str(value)]
        return [name for name in _BLANKS.split(value) if name]
    if not isinstance(value, list):
        issues.append("value-not-text")
        return [as_written(value, written)]
    found: list[str] = []
    waiting = [value[::-1]]  # lists that are open, each in reverse
    seen = 0
    while waiting:
        if not waiting[-1]:
            waiting.pop()
            continue
        item = target_of(waiting[-1].pop())
        seen += 1
        if seen > _MAX_NAMES:
            raise HostileYamlError(f"more than {_MAX_NAMES:,} names")
        if isinstance(item, list):
            waiting.append(item[::-1])
            issues.append("value-not-text")
        elif not is_null(item):
            if not isinstance(item, str) or not is_text(item):
                issues.append("value-not-text")
            found.append(as_written(item, None))
    return found


def merged(root: Mapping) -> dict[str, object]:
    """The map with its merge keys (`<<`) applied, in written order, as Psych does it. Aliases become their values.

    Raises:
        HostileYamlError: merge keys are nested too deep.
    """
    return _merged(root, 0, {})


def _merged(root: Mapping, depth: int, known: dict[int, dict[str, object]]) -> dict[str, object]:
    if depth > _MAX_MERGE_DEPTH:
        raise HostileYamlError(f"merge keys (<<) that are nested more than {_MAX_MERGE_DEPTH} deep")
    if id(root) not in known:
        fields: dict[str, object] = {}
        for key, value in root.items():
            value = target_of(value)
            if key != "<<":
                fields[key] = value
                continue
            for source in map(target_of, reversed(value) if isinstance(value, list) else [value]):
                if isinstance(source, Mapping):
                    fields |= _merged(source, depth + 1, known)
        known[id(root)] = fields
    return known[id(root)]


def target_of(value: object) -> object:
    """What an alias stands for; any other value as it is.

    >>> target_of(Scalar("a", plain=True))
    'a'
    """
    return value.target if isinstance(value, Alias) else value
