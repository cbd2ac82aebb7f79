"""Which rows of which shards a `split` argument asks for: `train`, `train+test`, `train[:1000]`, `test[10%:20%]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import CallError
from ..schema import CONFIGS
from ..storage.manifest import Manifest, Shard, shards_of

__all__ = ["Slice", "slices_of", "split_text"]

_SLICE = re.compile(
    r"(?P<split>\w+)(?:\[(?P<begin>[^:\]]*):(?P<end>[^:\]]*)\](?:\((?P<rounding>closest|pct1_dropremainder)\))?)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Rows of one split.

    Attributes:
        split: the split.
        shards: only those of its shards that hold wanted rows, in order.
        begin, end: the wanted rows are `begin` up to, not including, `end`, counted from the first row of `shards`.
    """

    split: str
    shards: tuple[Shard, ...]
    begin: int
    end: int

    @property
    def is_whole(self) -> bool:
        """Whether every row of the shards is wanted."""
        return (self.begin, self.end) == (0, sum(shard.rows for shard in self.shards))


def split_text(split: object) -> str:
    """A `split` argument as text: it is a string, a `datasets.NamedSplit` or a `datasets.ReadInstruction`.

    Raises:
        CallError: it is none of them.

    >>> split_text("train[:10]")
    'train[:10]'
    """
    import datasets

    if isinstance(split, str | datasets.NamedSplit | datasets.ReadInstruction):
        return str(split)
    hint = 'write several as "train+test" for one table, or as ["train", "test"] for a list of tables'
    raise CallError(f"{split!r} is not the name of a split", field="split", hint=hint)


def slices_of(manifest: Manifest, config: str, split: str | None = None) -> list[Slice]:
    """The slices that a `split` argument names, one for each part between `+` signs.

    Args:
        manifest: of the version; it knows how many rows each shard has.
        config: the config.
        split: the argument as text; None and "all" give every split of the config as a whole.

    Raises:
        CallError: it names no split of the config, or a bound of a slice is neither a number of rows nor a percentage.
    """
    slices = []
    for text in [*CONFIGS[config]] if split in (None, "all") else str(split).split("+"):
        match = _SLICE.fullmatch(text.strip())
        if not match or match["split"] not in CONFIGS[config]:
            hint = f"there are: {', '.join(CONFIGS[config])}; slices are written as train[:1000]"
            raise CallError(f"there is no split {split!r}", field="split", hint=hint)
        shards = shards_of(manifest, config, match["split"])
        rows = sum(shard.rows for shard in shards)
        step = rows // 100 if match["rounding"] == "pct1_dropremainder" else None
        if step == 0:
            reason = f"pct1_dropremainder needs at least 100 rows, {match['split']} has {rows}"
            raise CallError(reason, field="split", hint="leave it out")
        begin = _bound(match["begin"], rows, default=0, step=step)
        end = max(begin, _bound(match["end"], rows, default=rows, step=step))
        slices.append(_cut(match["split"], shards, begin, end))
    return slices


def _cut(split: str, shards: list[Shard], begin: int, end: int) -> Slice:
    """The slice of rows `begin` to `end` of a split, with the shards that hold them."""
    held: list[Shard] = []
    skipped = before = 0
    for shard in shards:
        if before < end and before + shard.rows > begin:
            if not held:
                skipped = before
            held.append(shard)
        before += shard.rows
    if not held:
        return Slice(split=split, shards=(), begin=0, end=0)
    return Slice(split=split, shards=tuple(held), begin=begin - skipped, end=end - skipped)


def _bound(text: str | None, rows: int, *, default: int, step: int | None = None) -> int:
    """A bound as a row of the split, as `datasets` reads it: `1000`, `-10`, `20%` (rounded to the closest row).

    With `step`, one percent is so many rows: "pct1_dropremainder" of `datasets`.

    >>> [_bound(text, 30, default=0) for text in ("", "10", "-10", "50%", "-10%", "99")]
    [0, 10, 20, 15, 27, 30]
    """
    if not text:
        return default
    try:
        if text.endswith("%"):
            percent = int(text[:-1])
            if abs(percent) > 100:
                raise ValueError
            value = round(percent * rows / 100.0) if step is None else percent * step
        else:
            value = int(text)
    except ValueError:
        reason = f"a bound of a slice must be a number of rows or a percentage, got {text!r}"
        raise CallError(reason, field="split", hint="write train[:1000] or test[10%:20%]") from None
    return min(max(value + rows if value < 0 else value, 0), rows)
