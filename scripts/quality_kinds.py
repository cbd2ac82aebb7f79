"""Labelled articles in many kinds, for scripts/quality.py: what is a copy, what only looks like one, what leaks by other ways.

Each kind makes small cases: an original and what belongs to it. The words are invented, but frequent ones are frequent as in
natural languages, and each script has its own: Han, kana, Hangul, Latin, Cyrillic and Arabic.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import opencc

__all__ = ["COPIES", "KINDS", "LEAKS", "SCRIPTS", "Case", "Told", "tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One made article.

    Attributes:
        title, digest, text: its words; any may be empty.
        day: days since 1970.
        copy_of: articles of a case with the same number are copies of each other.
        lang: the language that it names.
        leaks: whether it leaks to the first article of its case (by its digest, or because one stands inside the other).
    """

    title: str
    digest: str
    text: str
    day: int
    copy_of: int = 0
    lang: str = ""
    leaks: bool = False


Case = list[Told]
"""The articles of one case, the original first."""


# ---------------------------------------------------------------------------------------------- languages


@dataclass(frozen=True, slots=True)
class _Script:
    """How words of a script are made: from these parts, and joined in this way."""

    parts: str
    length: tuple[int, int]
    space: str
    comma: str
    stop: str
    particles: str = ""


SCRIPTS: dict[str, _Script] = {
    "han": _Script("".join(map(chr, range(0x4E00, 0x5A00, 2))), (1, 3), "", "，", "。"),
    "kana": _Script("".join(map(chr, range(0x5000, 0x5600, 2))), (1, 3), "", "、", "。", "のはをにがでとも"),
    "hangul": _Script("".join(map(chr, range(0xAC00, 0xB400, 7))), (2, 4), " ", ",", ".", "은는이가을를에의"),
    "latin": _Script("abcdefghiklmnoprstuvw", (2, 9), " ", ",", "."),
    "cyrillic": _Script("абвгдежзиклмнопрстуфхыья", (2, 9), " ", ",", "."),
    "arabic": _Script("ابتثجحدرزسشصضطعغفقكلمنهوي", (2, 7), " ", "،", "."),
}


class _Voice:
    """Makes words, sentences and paragraphs in one script."""

    def __init__(self, rng: random.Random, script: str, size: int = 4000) -> None:
        self.rng, self.script, self.how = rng, script, SCRIPTS[script]
        self.words = [self.name() for _ in range(size)]
        self.weights = list(accumulate(1 / (rank + 6) for rank in range(size)))

    def name(self, length: int = 0) -> str:
        """A new word."""
        return "".join(self.rng.choices(self.how.parts, k=length or self.rng.randint(*self.how.length)))

    def number(self) -> str:
        """A number with a unit."""
        value = self.rng.choice((f"{self.rng.uniform(1, 99):.2f}", str(self.rng.randint(100, 9999))))
        return value + {"han": "亿元", "kana": "億円", "hangul": "억원"}.get(self.script, "")

    def company(self) -> str:
        """The name of a company."""
        ends = {"han": ("股份", "科技", "集团"), "kana": ("株式会社",), "hangul": ("그룹",)}
        name = self.name(2 if not self.how.space else 6)
        return name + self.rng.choice(ends[self.script]) if self.script in ends else name.capitalize() + " Group"

    def sentence(self, low: int = 7, high: int = 18) -> str:
        """A sentence; one in three has a number."""
        rng, how = self.rng, self.how
        words = rng.choices(self.words, cum_weights=self.weights, k=rng.randint(low, high))
        if how.particles:
            words = [word + (rng.choice(how.particles) if rng.random() < 0.7 else "") for word in words]
        if rng.random() < 0.35:
            words.insert(rng.randrange(len(words)), self.number())
        cut = rng.randrange(1, len(words))
        return how.space.join(words[:cut]) + how.comma + how.space + how.space.join(words[cut:]) + how.stop

    def paragraph(self) -> str:
        """Two to five sentences."""
        return self.how.space.join(self.sentence() for _ in range(self.rng.randint(2, 5)))

    def article(self, low: int = 5, high: int = 12) -> list[str]:
        """Some paragraphs."""
        return [self.paragraph() for _ in range(self.rng.randint(low, high))]

    def title(self) -> str:
        """A headline; one in four has a number."""
        words = self.rng.choices(self.words, cum_weights=self.weights, k=self.rng.randint(4, 8))
        if self.rng.random() < 0.25:
            words.append(self.number())
        return self.how.space.join(words)

    def retitled(self, title: str) -> str:
        """The title of a copy: the same, another one, or with an addition."""
        return self.rng.choice((title, title, self.title(), title + self.how.space + self.rng.choice(self.words)))

    def day(self) -> int:
        """A day of half a year."""
        return 19000 + self.rng.randrange(180)

    def lead(self) -> str:
        """A short stretch before a copy."""
        return (
            self.name(3) + self.how.space + self.rng.choice(self.words) + self.how.space + self.name(2) + self.how.comma
        )


def _told(voice: _Voice, paragraphs: Sequence[str] | str, title: str = "", day: int = 0, **more: object) -> Told:
    text = paragraphs if isinstance(paragraphs, str) else "\n".join(paragraphs)
    digest = more.pop("digest", None)
    if digest is None:
        digest = voice.sentence() if voice.rng.random() < 0.5 else ""
    return Told(title=title or voice.title(), digest=str(digest), text=text, day=day or voice.day(), **more)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- copies


def _pair(edit: Callable[[_Voice, list[str]], Sequence[str]]) -> Callable[[_Voice], Case]:
    """A kind with an article and an edited copy on the same or the next day."""

    def make(voice: _Voice) -> Case:
        paragraphs = voice.article()
        one = _told(voice, paragraphs)
        title, day = voice.retitled(one.title), one.day + voice.rng.randrange(2)
        return [one, _told(voice, edit(voice, list(paragraphs)), title, day)]

    return make


def _credit(voice: _Voice, paragraphs: list[str]) -> list[str]:
    return [voice.lead() + paragraphs[0], *paragraphs[1:], voice.sentence(3, 4)]


def _cut(voice: _Voice, paragraphs: list[str]) -> list[str]:
    gone = set(voice.rng.sample(range(len(paragraphs)), max(1, round(0.25 * len(paragraphs)))))
    return [voice.paragraph(), *(part for at, part in enumerate(paragraphs) if at not in gone)]


def _replace(voice: _Voice, paragraphs: list[str]) -> list[str]:
    for at in voice.rng.sample(range(len(paragraphs)), max(1, round(0.3 * len(paragraphs)))):
        paragraphs[at] = voice.paragraph()
    return paragraphs


def _reorder(voice: _Voice, paragraphs: list[str]) -> list[str]:
    voice.rng.shuffle(paragraphs)
    return paragraphs


def _rewrite(voice: _Voice, paragraphs: list[str]) -> list[str]:
    stop = voice.how.stop
    changed = []
    for part in paragraphs:
        sentences = [one for one in part.split(stop) if one]
        for at in range(len(sentences)):
            if voice.rng.random() < 0.2:
                sentences[at] = voice.sentence().removesuffix(stop)
        changed.append(stop.join(sentences) + stop)
    return changed


def _traditional(voice: _Voice, paragraphs: list[str]) -> list[str]:
    return str(opencc.OpenCC("s2tw").convert("\n".join(paragraphs))).split("\n")


def _other_lead(voice: _Voice, paragraphs: list[str]) -> list[str]:
    return [voice.paragraph(), *paragraphs[1:]]


def _lead_only(voice: _Voice, paragraphs: list[str]) -> list[str]:
    return paragraphs[:1]


def _flash_copy(voice: _Voice) -> Case:
    """A flash, and its copy with a lead before it or a credit behind it."""
    company, text = voice.company(), voice.sentence(12, 22)
    one = _told(voice, company + voice.how.comma + text, digest="")
    more = voice.rng.choice((voice.lead() + one.text, one.text + voice.name(3), one.text))
    return [one, _told(voice, more, voice.rng.choice((one.title, voice.title())), one.day, digest="")]


# ------------------------------------------------------------------------------------------------ siblings


def _other_company(voice: _Voice) -> Case:
    """The same flash about several companies."""
    frame, day = voice.sentence(12, 22), voice.day()
    head = voice.sentence(4, 6).removesuffix(voice.how.stop)
    case = []
    for number in range(voice.rng.choice((2, 2, 3))):
        company = voice.company()
        text = f"{company}{voice.how.comma}{voice.how.space}{frame}"
        case.append(_told(voice, text, company + voice.how.comma + head, day, digest="", copy_of=number))
    return case


def _other_number(voice: _Voice) -> Case:
    """The same flash with another number, on the same or another day; in half of them one of three numbers differs."""
    words = [voice.sentence(5, 8).removesuffix(voice.how.stop) for _ in range(4)]
    numbers, day, company = [voice.number() for _ in range(3)], voice.day(), voice.company()
    case = []
    for copy in range(2):
        if copy:
            for at in range(3) if voice.rng.random() < 0.5 else [voice.rng.randrange(3)]:
                numbers[at] = voice.number()
        parts = [company, *(f"{word}{voice.how.space}{n}" for word, n in zip(words, numbers, strict=False)), words[3]]
        text = (voice.how.comma + voice.how.space).join(parts) + voice.how.stop
        case.append(_told(voice, text, company + words[0], day + copy, digest="", copy_of=copy))
    return case


def _quote(voice: _Voice) -> Case:
    """Two articles that quote the same long passage: 40 to 60 % of each."""
    quote = voice.article(4, 4)
    case = []
    for number in range(2):
        own = voice.article(3, 6)
        case.append(_told(voice, [*own[:2], *quote, *own[2:]], "", voice.day(), copy_of=number))
    return case


def _forms(voice: _Voice) -> Case:
    """A family of few filled forms: the same sentences with other names and numbers."""
    sentences = [voice.sentence(6, 10).removesuffix(voice.how.stop) for _ in range(5)]
    head, case = voice.title(), []
    for number in range(4):
        company = voice.company()
        slots = [company, voice.number(), voice.name(3), voice.number(), company]
        text = "".join(f"{s}{voice.how.space}{x}{voice.how.stop}" for s, x in zip(sentences, slots, strict=True))
        case.append(_told(voice, text, company + voice.how.space + head, voice.day(), digest="", copy_of=number))
    return case


def _daily(voice: _Voice) -> Case:
    """One flash with the same words on several days; two publishers have it on each day."""
    text, title, day = voice.sentence(voice.rng.choice((2, 4, 9)) + 2, 13), voice.title(), voice.day()
    days = sorted(voice.rng.sample(range(40), voice.rng.choice((2, 3, 6, 12))))
    return [
        _told(voice, text, title, day + later, digest="", copy_of=number)
        for number, later in enumerate(days)
        for _ in range(voice.rng.choice((1, 2)))
    ]


_PLACEHOLDERS = {"han": "详见附件。", "kana": "添付資料参照", "hangul": "첨부 참조", "latin": "See attachment."}


def _placeholder(voice: _Voice) -> Case:
    """Notices with a body without content; their titles tell them apart."""
    body = _PLACEHOLDERS.get(voice.script, "...")
    head = voice.title()
    return [
        _told(voice, body, f"{head}{voice.how.space}{voice.name(4)}", 0, digest="", copy_of=number)
        for number in range(6)
    ]


def _release(voice: _Voice) -> Case:
    """A train of releases: the same frame, another version, other changes."""
    product, frame = voice.name(5), voice.article(2, 3)
    minor, case, day = voice.rng.randrange(20), [], voice.day()
    for number in range(3):
        version = f"{voice.rng.choice((1, 2))}.{minor}.{number}"
        changes = [f"- {voice.sentence(4, 8)}" for _ in range(voice.rng.randint(2, 4))]
        text = [f"{product} {version}{voice.how.comma}{voice.how.space}{frame[0]}", *changes, *frame[1:]]
        case.append(_told(voice, text, f"{product} {version}", day + 30 * number, digest="", copy_of=number))
    return case


def _annual(voice: _Voice) -> Case:
    """The same event in two years: other dates, one paragraph of five is new."""
    frame, name, case = voice.article(5, 6), voice.title(), []
    for number, year in enumerate((2020, 2021)):
        text = [f"{year}-{voice.rng.randint(1, 12)}-{voice.rng.randint(1, 28)}{voice.how.comma}{frame[0]}", *frame[1:]]
        text[voice.rng.randrange(1, len(text))] = voice.paragraph()
        case.append(_told(voice, text, f"{name} {year}", 18300 + 365 * number, digest="", copy_of=number))
    return case


def _translated(voice: _Voice) -> Case:
    """A release note in two languages with the same code, links and checksums."""
    shared = []
    for name in ("tar.gz", "zip", "tar.xz"):
        sums = "".join(voice.rng.choices("0123456789abcdef", k=64))
        shared.append(f"https://files.example.org/pub/{voice.rng.randint(2, 9)}/{name}\nSHA256: {sums}")
    shared.append("\n".join(f"result_{k} = compute(item_{k}, {voice.rng.randrange(99)})" for k in range(8)))
    other = _Voice(voice.rng, "latin" if voice.script != "latin" else "cyrillic", 300)
    day, version = voice.day(), f"{voice.rng.randint(1, 9)}.{voice.rng.randint(0, 9)}"
    return [
        _told(one, [*one.article(1, 3), *shared], f"{one.name(5)} {version}", day, digest="", copy_of=number)
        for number, one in enumerate((voice, other))
    ]


def _list_left(voice: _Voice) -> Case:
    """A release note in two languages of one script; its list of changes was not translated. A third one is as the first."""
    changes = [f"- {voice.sentence(5, 9)}" for _ in range(25)]
    day, head, other = voice.day(), voice.article(1, 2), voice.article(1, 2)
    return [
        _told(voice, [*words, *changes], day=day, digest="", copy_of=number, lang=lang)
        for lang, words, number in (("aa", head, 0), ("bb", other, 1), ("cc", head, 0))
    ]


def _meeting(voice: _Voice) -> Case:
    """The same invitation month by month, with another date."""
    title, frame, day, case = voice.title(), voice.article(2, 3), voice.day(), []
    for number in range(3):
        date = f"2031-{number + 4:02d}-{voice.rng.randint(1, 28):02d}"
        text = [f"{date}{voice.how.comma}{voice.how.space}{frame[0]}", *frame[1:]]
        case.append(_told(voice, text, title, day + 28 * number, digest="", copy_of=number))
    return case


def _parts(voice: _Voice) -> Case:
    """Two parts of a course: half of each is common."""
    frame, name, day = voice.article(4, 4), voice.title(), voice.day()
    return [
        _told(voice, [*frame, *voice.article(2, 3)], f"{name} {k + 1} {voice.title()}", day + k, digest="", copy_of=k)
        for k in range(2)
    ]


# ------------------------------------------------------------------------------------- leaks by other ways


def _same_digest(voice: _Voice) -> Case:
    digest = voice.sentence(9, 14)
    one = _told(voice, voice.article(2, 4), digest=digest)
    return [one, _told(voice, voice.article(2, 4), day=one.day + 1, digest=digest, copy_of=1, leaks=True)]


def _digest_first(voice: _Voice) -> Case:
    """A post that has a digest only, then the article."""
    digest = voice.sentence(9, 14)
    one = _told(voice, "", digest=digest)
    return [one, _told(voice, voice.article(2, 4), one.title, one.day + 1, digest=digest, copy_of=1, leaks=True)]


def _digest_is_text(voice: _Voice) -> Case:
    flash = voice.sentence(9, 14)
    one = _told(voice, flash, digest="")
    return [one, _told(voice, voice.article(2, 4), day=one.day + 1, digest=flash, copy_of=1, leaks=True)]


def _roundup(voice: _Voice) -> Case:
    """Flashes of a day, and the roundup that holds them all."""
    day = voice.day()
    flashes = [voice.sentence(9, 18) for _ in range(voice.rng.randint(5, 8))]
    whole = _told(voice, "\n".join(flashes), day=day + 1, digest="")
    parts = [_told(voice, text, day=day, digest="", copy_of=k + 1, leaks=True) for k, text in enumerate(flashes)]
    return [whole, *parts]


COPIES: dict[str, Callable[[_Voice], Case]] = {
    "credit": _pair(_credit),
    "cut": _pair(_cut),
    "replace": _pair(_replace),
    "reorder": _pair(_reorder),
    "rewrite": _pair(_rewrite),
    "traditional": _pair(_traditional),
    "other-lead": _pair(_other_lead),
    "flash-copy": _flash_copy,
    "lead-only": _pair(_lead_only),
}
"""Kinds whose articles are copies of each other. A stub that has only the lead is hard to find: it is counted by itself."""

SIBLINGS: dict[str, Callable[[_Voice], Case]] = {
    "other-company": _other_company,
    "other-number": _other_number,
    "quote": _quote,
    "forms": _forms,
    "daily": _daily,
    "placeholder": _placeholder,
    "release": _release,
    "annual": _annual,
    "translated": _translated,
    "list-left": _list_left,
    "meeting": _meeting,
    "parts": _parts,
}
"""Kinds that look like copies; `daily` and `list-left` have copies, too."""

LEAKS: dict[str, Callable[[_Voice], Case]] = {
    "same-digest": _same_digest,
    "digest-first": _digest_first,
    "digest-is-text": _digest_is_text,
    "roundup": _roundup,
}
"""Kinds that are no copies, but leak."""

KINDS = {**COPIES, **SIBLINGS, **LEAKS}


def tell(script: str, cases: int, seed: int = 1, kinds: Sequence[str] = tuple(KINDS)) -> dict[str, list[Case]]:
    """Some cases of each kind in one script, and as many plain articles (kind "plain").

    >>> made = tell("latin", 2, kinds=["annual"])
    >>> sorted(made), len(made["annual"]), len(made["annual"][0])
    (['annual', 'plain'], 2, 2)
    """
    voice = _Voice(random.Random(f"{script} {seed}"), script)  # noqa: S311
    made = {
        kind: [KINDS[kind](voice) for _ in range(cases)] for kind in kinds if kind != "traditional" or script == "han"
    }
    plain = [[_told(voice, voice.article(1, 8))] for _ in range(cases * len(made))]
    return {**made, "plain": plain}
