"""Bytes as they are said to people."""

from __future__ import annotations


def in_words(size: int) -> str:
    """A number of bytes: "98 MB", "4.4 GB"."""
    if size >= 950e6:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} KB"
