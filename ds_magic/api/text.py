"""Text that is safe to keep, to encode and to show: surrogates healed, keys masked."""

import re

MASK = "****"

_KEY_LIKE = re.compile(
    r"\bsk-[A-Za-z0-9_\-]{8,}"
    r"|(?i:\bBearer)\s+[^\s\"',;]+"
    r"|\*{2,}[A-Za-z0-9_\-]+"
    r"|[A-Za-z0-9_\-]+\*{3,}"
)
_WORD = re.compile(r"[^\s\"'`:,;()\[\]{}<>]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHARED_WITH_KEY = 4


def heal_surrogates(text: str) -> str:
    """`text` with surrogate pairs joined into their character and lone ones replaced by U+FFFD.

    A lone `"\\ud83d"` is legal JSON and a legal Python string, but no encoder takes it.
    """
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def heal(value):
    """`value` (parsed JSON) with every string in it, keys too, healed as by `heal_surrogates`."""
    if isinstance(value, str):
        return heal_surrogates(value)
    if isinstance(value, dict):
        return {heal(name): heal(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [heal(item) for item in value]
    return value


def mask_keys(text: str, key: str | None = None) -> str:
    """`text` with everything that looks like an API key, and every word that shares a part with `key`, masked.

    A service's refusal may quote the end of the key ("Your api key: ****3f2a is invalid"), so a word
    that has 4 characters in a row in common with the key goes too, unless it is a plain word of letters.
    """
    if key:
        text = text.replace(key, MASK)
    text = _KEY_LIKE.sub(MASK, text)
    if not key or len(key) < 2 * _SHARED_WITH_KEY:
        return text
    parts = {key[i : i + _SHARED_WITH_KEY] for i in range(len(key) - _SHARED_WITH_KEY + 1)}

    def masked(match: re.Match) -> str:
        word = match.group()
        shares = any(word[i : i + _SHARED_WITH_KEY] in parts for i in range(len(word) - _SHARED_WITH_KEY + 1))
        return MASK if shares and not word.strip(".!?").isalpha() else word

    return _WORD.sub(masked, text)


def looks_like_key(text: str) -> bool:
    """Whether an API key (`sk-` and at least 16 characters) stands in `text`."""
    return re.search(r"\bsk-[A-Za-z0-9_\-]{16,}", text) is not None


def shorten(text: str, limit: int = 300) -> str:
    """`text` on one line, cut to `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
