"""Bytes of tokens to text: characters split over tokens, and white space that a reader can see."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable

REPLACEMENT = "\ufffd"
END = "⟨end⟩"

_ENDING = re.compile("end|eo[stm]", re.IGNORECASE)
_NAMED = 160  # so much of a token is its name
_SURROGATE = re.compile("[\ud800-\udfff]")

_VISIBLE = {ord(" "): "·", ord("\t"): "→", ord("\n"): "↵", ord("\r"): "␍", 0x7F: "␡", 0xA0: "⟨nbsp⟩"}
_VISIBLE.update({code: chr(0x2400 + code) for code in range(0x20) if code not in (9, 10, 13)})
# Characters that have no width, or that reorder what stands around them: a name is shown in their place.
# The joiners U+200C and U+200D are left alone inside text, where scripts and emoji need them.
_HIDDEN = (
    *range(0x80, 0xA0),
    0xAD,
    0x61C,
    0x180E,
    0x200B,
    *range(0x200E, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
)
_SPACES = (0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_VISIBLE.update({code: f"⟨U+{code:04X}⟩" for code in (*_HIDDEN, *_SPACES)})


def encodable(text: str) -> str:
    """`text` with each lone surrogate, which no encoding can write, replaced by U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub(REPLACEMENT, text)


def inline(text: str) -> str:
    """`text` with its white space and control characters drawn, to stand in running text: joins are kept."""
    return encodable(text).translate(_VISIBLE)


def running(text: str) -> str:
    """`text` to be read within a line: as `inline`, but blanks are blanks."""
    return inline(text).replace("·", " ")


def visible(text: str) -> str:
    """`text` with its white space and control characters drawn: `·` `→` `↵` `␀` `⟨U+202E⟩`.

    Combining marks with nothing to stand on get a dotted circle.
    """
    shown = inline(text)
    if shown.strip("\u200c\u200d") == "" and shown:
        return "".join(f"⟨U+{ord(character):04X}⟩" for character in shown)
    if shown and unicodedata.category(shown[0]).startswith("M"):
        shown = "◌" + shown
    return shown


def label(token: str, token_bytes: bytes | None, *, limit: int = 40) -> str:
    """How one token is shown: visible white space, `⟨F0 9F⟩` for parts of a glyph.

    One that spells nothing is the end, `⟨end⟩`, or `⟨end: im_end⟩` where its server names it: a model may have
    several. Longer than `limit` characters a label is cut, with `…` for the rest.
    """
    if not token_bytes and (token_bytes is not None or not token):
        return _mark(token, limit)
    if token_bytes is None:
        token_bytes = encodable(token).encode("utf-8")
    elif len(token_bytes) > 4 * limit:
        token_bytes = token_bytes[: 4 * limit]
    shown = _decode_with_hex(token_bytes)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def is_end(token: str, token_bytes: bytes) -> bool:
    """Whether a token ends an answer: it spells nothing, and has no name or that of an end."""
    if token_bytes:
        return False
    name = token[:_NAMED]
    return not name.strip("<>|｜[]/ ") or name.startswith("</") or bool(_ENDING.search(name))


def _mark(token: str, limit: int) -> str:
    """A token that spells nothing, by its name: `<|im_end|>` ends an answer, `<|im_start|>` does something else."""
    name = visible(token[: 4 * limit].strip("<>|｜[]/ "))
    if not name:
        return END
    shown = f"⟨{'end' if is_end(token, b'') else 'mark'}: {name}⟩"
    return shown if len(shown) <= limit else shown[: limit - 2] + "…⟩"


def _decode_with_hex(token_bytes: bytes) -> str:
    pieces = []
    while token_bytes:
        try:
            pieces.append(visible(token_bytes.decode("utf-8")))
            break
        except UnicodeDecodeError as error:
            if error.start:
                pieces.append(visible(token_bytes[: error.start].decode("utf-8")))
            wrong = token_bytes[error.start : error.end]
            pieces.append("⟨" + wrong.hex(" ").upper() + "⟩")
            token_bytes = token_bytes[error.end :]
    return "".join(pieces)


def decode_tokens(parts: Iterable[bytes]) -> tuple[list[str], list[int]]:
    """What each token adds to the decoded text, and which tokens make one glyph.

    Returns `(texts, glyphs)`, both as long as `parts`. The text of a token that ends inside a character is
    without that character; the token that completes it has it. `glyphs[i]` is the position of the first
    token of the run that token i shares characters with; alone in its run it is i. Bytes that are no UTF-8
    become U+FFFD, as does a character that the last token leaves unfinished.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    texts: list[str] = []
    glyphs: list[int] = []
    run_start = -1
    for position, part in enumerate(parts):
        if run_start < 0 and part.isascii():
            texts.append(part.decode("ascii"))
            glyphs.append(position)
            continue
        texts.append(decoder.decode(part))
        glyphs.append(position if run_start < 0 else run_start)
        run_start = glyphs[-1] if decoder.getstate()[0] else -1
    if texts:
        texts[-1] += decoder.decode(b"", True)
    return texts, glyphs
