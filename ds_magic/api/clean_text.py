"""Text that is safe to keep and to show: the one place where text is cleaned, by policies that have names.

What is harm, decided once:

- A lone surrogate: no encoder takes it. It becomes U+FFFD; so does a C1 control, which has no picture.
- A control character other than tab and line feed, ESC with it: a terminal obeys it. It is drawn: `␛`.
  CR LF and CR are line ends, and become LF.
- An embedding, override or isolate of direction, and what ends one (U+202A–202E, U+2066–2069): the text reads
  otherwise than it is, closed or not; a stream cannot know whether it will be. It is named: `⟨U+202E⟩`.

Nothing else is: no-break spaces, joiners (emoji, Persian), variation selectors, combining marks and the marks of
direction that reach no further than their neighbours (U+061C, U+200E, U+200F) stay as they came.

The policies, by where the text will stand:

    heal_surrogates, heal   in a request or a file: only what no encoder takes
    for_terminal            in a terminal, a repr, text/plain, text/markdown: wherever text is read as it stands
    for_report              there too, where somebody may copy it for others: keys are masked
    on_one_line             in a line of ours, on any screen: white space is one blank, what is long is cut
    for_page, escaped       in a block of HTML, whose end ends every override of direction: that is left alone
    for_code                in code and in the arguments of a call, on a page too: each mark of direction is named
    for_json                in JSON that may be copied: harm becomes an escape, so that no value changes

So an override leaves us as it came in three ways only: inside a block of HTML, in a file or a request, and in the
values that a program reads (`str(answer)`, `.content`, a table's columns).

Every one takes a time that is linear in the text, and leaves what it has cleaned as it is. How a *token* is shown,
white space made visible, is another matter: `logprobs.glyphs`.
"""

import re
from collections.abc import Container
from html import escape
from typing import Any

MASK = "****"

_KEY_LIKE = re.compile(
    r"\bsk-[A-Za-z0-9_\-]{8,}"
    r"|(?i:\bBearer)\s++[^\s\"',;]+"
    r"|(?<!\*)\*{3,}+[A-Za-z0-9_\-]+"
    r"|(?<![A-Za-z0-9_\-])[A-Za-z0-9_\-]++\*{3,}"
)
"""Each run is begun at its start only and never given back, so that a pass is linear."""
_NAME_IN_KEY = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,11}(?![A-Za-z0-9])")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\s\"'`:,;()\[\]{}<>]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_OVERRIDES = "\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{_CONTROLS}]+")
_HARM = re.compile(f"[{_CONTROLS}{_OVERRIDES}]+")
_HARM_IN_CODE = re.compile(f"[{_CONTROLS}{_OVERRIDES}\u061c\u200e\u200f]+")
_HARM_IN_JSON = re.compile(f"[{_CONTROLS}{_OVERRIDES}\u061c\u200e\u200f\ud800-\udfff]+")
_DRAWN = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"} | dict.fromkeys(range(0x80, 0xA0), "\ufffd")
_DRAWN |= {code: f"⟨U+{code:04X}⟩" for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_WHITE = re.compile("[ \t\n\u2028\u2029]+")
_LONG_ENOUGH = 8
"""A shorter key may be a part of any word."""
_SHARED_WITH_KEY = 4
_MORE_THAN_A_WORD = 8
"""A run of letters this long that stands in the key too is a part of it rather than a plain word."""
_DEEPEST = 100_000


def heal_surrogates(text: str) -> str:
    """`text` with surrogate pairs joined into their character and lone ones replaced by U+FFFD.

    A lone `"\\ud83d"` is legal JSON and a legal Python string, but no encoder takes it.
    """
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def for_terminal(text: str) -> str:
    """`text` that commands no terminal and reads in the order in which it is written."""
    return _HARM.sub(_drawn, _mended(text))


def for_report(text: str) -> str:
    """`text` as `for_terminal`, with everything that looks like an API key masked."""
    return mask_keys(for_terminal(text))


def for_page(text: str) -> str:
    """`text` for a block of its own in HTML, still to be escaped. Marks of direction are confined by the block."""
    return _CONTROL.sub(_drawn, _mended(text))


def escaped(text: str) -> str:
    """`text` as `for_page`, escaped for the content of an element and for quoted attributes."""
    return escape(for_page(text))


def for_code(text: str) -> str:
    """`text` whose every mark of direction is named, so that code reads as it runs."""
    return _HARM_IN_CODE.sub(_drawn, _mended(text))


def for_json(text: str) -> str:
    """JSON text with the characters that could mislead written as escapes: the same value, fit to be copied."""
    return _HARM_IN_JSON.sub(lambda found: "".join(f"\\u{ord(character):04x}" for character in found[0]), text)


def on_one_line(text: str, limit: int = 200) -> str:
    """`text` as `for_terminal` on one line, cut to `limit` characters between two that a reader sees.

    Runs of blanks, tabs and line ends are one blank. A no-break space is no place to break: it stays.
    """
    return shortened(_WHITE.sub(" ", for_terminal(text)).strip(" "), limit)


def shortened(text: str, limit: int) -> str:
    """`text`, cut to `limit` characters between two that a reader sees where it is longer."""
    return text if len(text) <= limit else text[: _last_cut(text, limit)] + "…"


def _last_cut(text: str, limit: int) -> int:
    """The last place before `limit` where no emoji and no accented letter is cut in two."""
    if text[:limit].isascii():
        return limit - 1
    from wcwidth import grapheme_boundary_before

    return grapheme_boundary_before(text[:limit], limit) or limit - 1


def _mended(text: str) -> str:
    """`text` without surrogates, its line ends LF."""
    return heal_surrogates(text).replace("\r\n", "\n").replace("\r", "\n")


def _drawn(found: re.Match[str]) -> str:
    return found[0].translate(_DRAWN)


class Joiner:
    """Puts together what was split between two pieces of a stream: CR and LF, the halves of a surrogate pair."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, text: str) -> str:
        """What is certain after this piece."""
        text, self._held = self._held + text, ""
        if text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff"):
            text, self._held = text[:-1], text[-1]
        return text

    def flush(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return held


def heal(value: Any) -> Any:
    """`value` (parsed JSON) with every string in it, keys too, healed as by `heal_surrogates`.

    Takes any depth that a parser gives; raises RecursionError where the value holds itself.
    """
    top = [value]
    todo: list[tuple[Any, Any, int]] = [(top, 0, 0)]
    while todo:
        holder, place, depth = todo.pop()
        item = holder[place]
        if isinstance(item, str):
            holder[place] = heal_surrogates(item)
        elif isinstance(item, dict):
            item = {heal_surrogates(name) if isinstance(name, str) else name: each for name, each in item.items()}
            holder[place] = item
            todo.extend((item, name, depth + 1) for name in item)
        elif isinstance(item, list | tuple):
            holder[place] = item = list(item)
            todo.extend((item, position, depth + 1) for position in range(len(item)))
        if depth > _DEEPEST:
            raise RecursionError("a value that holds itself")
    return top[0]


def without_key(text: str, key: str | None) -> str:
    """`text` with `key` masked; a short one ("x", "none", which some servers are given) only as a word of its own."""
    if not key or key not in text:
        return text
    if len(key) >= _LONG_ENOUGH:
        return text.replace(key, MASK)
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(key)}(?![A-Za-z0-9])", MASK, text)


def mask_keys(text: str, key: str | None = None, names: Container[str] = ()) -> str:
    """`text` with everything that looks like an API key, and every word that shares a part with `key`, masked.

    A service's refusal may quote the end of the key ("Your api key: ****3f2a is invalid"), so a word
    that has 4 characters in a row in common with the key goes too; without a digit in it, it is as good as a
    plain word, and goes where it has 8 in common. Names within the key ("deepseek" in "sk-deepseek-0a1b…")
    are no secret, nor are `names`, which may share a word with the key: they go where they have more of it.
    """
    text = _KEY_LIKE.sub(MASK, without_key(text, key))
    if not key or len(key) < _LONG_ENOUGH:
        return text
    secret = _NAME_IN_KEY.sub(" ", key)
    if not secret.strip(" -_."):
        secret = key

    def masked(match: re.Match[str]) -> str:
        word = match.group()
        is_name = word.rstrip(".") in names
        enough = _SHARED_WITH_KEY if _DIGIT.search(word) and not is_name else _MORE_THAN_A_WORD
        runs = (word[i : i + enough] for i in range(len(word) - enough + 1))
        return MASK if any(run in secret and (not is_name or _DIGIT.search(run)) for run in runs) else word

    return _WORD.sub(masked, text)
