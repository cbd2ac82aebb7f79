"""The options of a build, and the settings that follow from them and the version before. Decided once, before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ..card.readme import CARD_NAME, read_card
from ..counts import plural
from ..curation.splits import Borders, parse_day
from ..errors import CallError, VersionError
from ..parsing.post import PARSER_VERSION
from ..schema import SCHEMA_VERSION
from ..storage.manifest import Manifest, check_file, parse_version
from .base import Base
from .tools import installed_tools

__all__ = ["AskedBorders", "Request", "Settings", "check_call", "settle"]

_MAX_GAP_DAYS = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options of `build.build`, which describes them.

    Attributes:
        card: the text of the curator's prose, or None.
        baselines: scores to show in the card, or None.
        again: whether `base` itself is built once more, with text; for `newsdata.rehydrate`.
    """

    source: str | Path
    out: str | Path
    version: str | None = None
    validation_from: str | None = None
    test_from: str | None = None
    gap_days: int | None = None
    resplit: bool = False
    allow_old_test: bool = False
    drafts: bool | None = None
    strict: bool = False
    max_reject_share: float | None = None
    max_leak: float = 0.0
    card: str | None = None
    baselines: Mapping[str, Any] | None = None
    text: str | None = None
    history: bool | None = None
    base: str | Path | None = None
    again: bool = False


class AskedBorders(NamedTuple):
    """The borders that the caller asks for, each None if not given.

    Attributes:
        validation_from, test_from: the first day of the split.
        gap_days: days on each side of a border that are excluded.
    """

    validation_from: date | None
    test_from: date | None
    gap_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a build: the options, completed by those of the version before.

    Attributes:
        card: the curator's prose.
        baselines: scores to show in the card, if they are of the version's rows; None for none.
        text: "full", or "none" for a version without the publishers' words.
        history: whether the posts' earlier revisions are read.
        drafts: whether posts below `_drafts` are read.
        borders: the borders between the splits that the version before fixed; None if it has no dated rows, or if the
            splits are cut anew.
        asked_borders: the borders that the caller asks for.
        resplit: whether the splits are cut anew.
        allow_old_test: whether articles of an old test split may be in any split.
        split_scheme: the number of times that the splits were cut.
        tools: name -> version of the packages that can change the bytes of a version.
    """

    card: str
    baselines: Mapping[str, Any] | None
    text: str
    history: bool
    drafts: bool
    borders: Borders | None
    asked_borders: AskedBorders
    resplit: bool
    allow_old_test: bool
    split_scheme: int
    tools: Mapping[str, str]

    @property
    def made_by(self) -> tuple[str, ...]:
        """Inputs of every task that makes rows or signatures: the versions of the tools, of the schema and of the parser."""
        tools = (f"{name} {version}" for name, version in sorted(self.tools.items()))
        return (*tools, f"schema {SCHEMA_VERSION}", f"parser {PARSER_VERSION}")


def check_call(request: Request, num_proc: int | None, partitions: int | None = None) -> None:
    """Validate the arguments before any work starts.

    Raises:
        CallError: one of them is empty, of the wrong type or out of range.
    """
    for field, name in (("source", request.source), ("out", request.out)):
        if not str(name).strip():
            raise CallError("the name is empty", field=field, hint="write . for the current folder")
    for name, number in (("num_proc", num_proc), ("partitions", partitions)):
        if number is not None and (type(number) is not int or number < 1):
            raise CallError(f"must be a whole number of at least 1, got {number!r}", field=name)
    days = request.gap_days
    if days is not None and (type(days) is not int or not 0 <= days <= _MAX_GAP_DAYS):
        raise CallError(f"must be a whole number from 0 to {_MAX_GAP_DAYS:,}, got {days!r}", field="gap_days")
    for field, share in (("max_reject_share", request.max_reject_share), ("max_leak", request.max_leak)):
        if share is not None and not 0 <= share <= 1:  # NaN is out of range, too
            raise CallError(f"must be between 0 and 1, got {share!r}", field=field)
    if request.allow_old_test and not request.resplit:
        raise CallError("works together with --resplit only", field="allow_old_test", hint="give --resplit, too")
    if request.text not in (None, "full", "none"):
        raise CallError(f"must be full or none, got {request.text!r}", field="text")


def settle(request: Request, base: Base) -> Settings:
    """Check the options against the version before, and complete them with its choices.

    Raises:
        VersionError: the version is not higher than all others, the borders are fixed already, or OUT holds versions of the
            other kind (with text or without).
        CallError: a day is not written as YYYY-MM-DD.
        ManifestError: the card of the version before is damaged.
    """
    if request.version:
        _check_version(request.version, base)
    if request.resplit and base.manifest is None:
        raise CallError(
            "there is no version whose splits could be cut anew", field="resplit", hint="leave out --resplit"
        )
    before = base.manifest.configuration if base.manifest else {}
    text = _choose_text(request, base)
    asked = AskedBorders(
        parse_day(request.validation_from, "--validation-from"),
        parse_day(request.test_from, "--test-from"),
        request.gap_days,
    )
    history = bool(before.get("history")) if request.history is None else request.history
    return Settings(
        card=_choose_card(request, base),
        baselines=request.baselines or (base.manifest.baselines if base.manifest else None),
        text=text,
        history=history and not request.again,
        drafts=bool(before["drafts"]) if request.drafts is None and before else bool(request.drafts),
        borders=None if request.resplit else _kept_borders(asked, base.manifest),
        asked_borders=asked,
        resplit=request.resplit,
        allow_old_test=request.allow_old_test,
        split_scheme=int(before.get("split_scheme", 1)) + request.resplit,
        tools=installed_tools(),
    )


def _check_version(wanted: str, base: Base) -> None:
    """Raise a `VersionError` unless `wanted` is higher than all versions in OUT."""
    parse_version(wanted)
    if base.versions and parse_version(wanted) <= parse_version(base.versions[-1]):
        raise VersionError(
            f"{wanted} is not higher than {base.versions[-1]}", hint="choose a higher version than all that are there"
        )


def _choose_text(request: Request, base: Base) -> str:
    """Whether text is kept, "full" or "none": as asked for, else as in the version before, else "full"."""
    before = [] if request.again else [manifest for manifest in (base.manifest, base.newer) if manifest]
    kinds = [str(manifest.configuration.get("text", "full")) for manifest in before]
    if "partial" in kinds:
        raise VersionError(
            "a partial version cannot be followed", hint="follow the release that it is a part of (--base)"
        )
    wanted = request.text or next(iter(kinds), "full")
    for manifest, kind in zip(before, kinds, strict=True):
        if kind != wanted:
            raise VersionError(
                f"{manifest.dataset_version} was built with --text {kind}, this build has --text {wanted}",
                hint="a folder holds versions of one kind, with text or without; build into another folder",
            )
    return wanted


def _choose_card(request: Request, base: Base) -> str:
    """The curator's prose: as given, else as in the version before, else the one that newsdata brings."""
    if request.card is not None:
        return request.card
    if base.manifest and base.folder and any(file.path == CARD_NAME for file in base.manifest.files):
        check_file(base.folder, base.manifest, CARD_NAME)
        return read_card(base.folder / CARD_NAME)
    return read_card()


def _kept_borders(asked: AskedBorders, base: Manifest | None) -> Borders | None:
    """The borders that the version before fixed; None if it has no dated rows.

    Raises:
        VersionError: the caller asks for others.
    """
    if base is None or not base.accounting.get("dates_by_split"):
        return None
    configuration: Mapping[str, Any] = base.configuration
    kept = {name: parse_day(configuration[name], name) for name in ("validation_from", "test_from", "test_until")}
    gap_days = int(configuration["gap_days"])
    if (
        asked.validation_from not in (None, kept["validation_from"])
        or asked.test_from not in (None, kept["test_from"])
        or asked.gap_days not in (None, gap_days)
    ):
        raise VersionError(
            f"the splits of {base.dataset_version} are fixed: validation from {kept['validation_from']}, "
            f"test from {kept['test_from']}, gap of {plural(gap_days, 'day')}",
            hint="leave the options out, or cut the splits anew with --resplit",
        )
    return Borders(**kept, gap_days=gap_days)
