"""How large what is seen is drawn: as the page draws text, or for a class before a projector; and how much is held."""

from __future__ import annotations

SIZES = ("normal", "projector")

EXPLORABLE = 2_000_000
"""Characters of token probabilities that an output holds, unless more or less are set."""

_size = "normal"
_explorable = EXPLORABLE


def set_size(size: str) -> None:
    """Draw what comes from now on as `normal` or for a `projector`: half as large again, tints stronger."""
    global _size
    if size not in SIZES:
        raise ValueError(f"there is no size {size!r}: choose one of {', '.join(SIZES)}")
    _size = size


def set_explorable(characters: int | None) -> None:
    """Let an output hold so many characters of token probabilities at most, 0 for none, None for as many as usual."""
    global _explorable
    _explorable = EXPLORABLE if characters is None else characters


def explorable() -> int:
    """How many characters of token probabilities an output holds at most."""
    return _explorable


def is_projected() -> bool:
    """Whether it is drawn for a projector: then small print is left out too."""
    return _size == "projector"


def font_size() -> str:
    """The style of the frame around everything that is drawn, empty at the page's own size."""
    return "font-size:1.5em;" if is_projected() else ""


def widest_tint() -> float:
    """The alpha of the strongest tint under text; a test computes the contrast in both themes."""
    return 0.75 if is_projected() else 0.6
