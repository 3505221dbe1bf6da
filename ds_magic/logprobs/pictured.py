"""What a result of these numbers is for a reader: a picture, and the same as text."""

from __future__ import annotations

from .. import conveniences


class Pictured:
    """Shows itself by its picture in `views.tokens.pictures`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return conveniences.object_printed(self)

    def _repr_html_(self) -> str:
        return conveniences.object_shown(self)
