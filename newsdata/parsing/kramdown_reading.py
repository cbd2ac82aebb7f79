"""How the rules for kramdown's spans read on, and how they take back what they read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markdown_it.rules_inline import StateInline

from .kramdown_document import document_of

__all__ = ["SpanRule", "flush", "give_up", "push_html", "read_until", "take_words"]

SpanRule = Callable[[StateInline, bool], bool]


def read_until(state: StateInline, stop: Callable[[], bool]) -> bool:
    """Read spans up to where `stop` says. Returns whether it did before the end, or before too much was read again."""
    rules: Sequence[SpanRule] = state.md.inline.ruler.getRules("")
    document = document_of(state)
    while state.pos < state.posMax and document.effort >= 0:
        if stop():
            return True
        for rule in rules:
            if rule(state, False):
                break
        else:
            state.append_pending(state.src[state.pos])
            state.pos += 1
    return False


def take_words(state: StateInline, words: str) -> bool:
    """Take `words`, which stand at the current place, as words."""
    state.append_pending(words)
    state.pos += len(words)
    return True


def flush(state: StateInline) -> None:
    """End the words that were read last."""
    if state.pending:
        state.pushPending()


def push_html(state: StateInline, html: str) -> None:
    """Write HTML."""
    flush(state)
    state.push("html_inline", "", 0).content = html


def give_up(state: StateInline, start: int, tokens: int, words: str) -> bool:
    """Go back to `start`, where `words` are only words, and forget what was read since."""
    document_of(state).effort -= state.pos - start
    del state.tokens[tokens:]
    del state.tokens_meta[tokens:]
    state.pending = ""
    state.pos = start
    return take_words(state, words)
