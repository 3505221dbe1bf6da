"""The one way to write a JSON value, and the key of a request: RFC 8785, https://www.rfc-editor.org/rfc/rfc8785."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from ..api.errors import InvalidRequestError


def canonical(value: Any) -> str:
    """`value` (parsed JSON) as RFC 8785 writes it: names sorted by UTF-16, numbers as in ECMAScript, no blanks."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        names = sorted(value) if "".join(value).isascii() else sorted(value, key=_utf_16)
        return "{" + ",".join([f"{encode_basestring(name)}:{canonical(value[name])}" for name in names]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value)


def key_of(wire: dict[str, Any], server: str, sample: int = 0) -> str:
    """What tells an exchange from others: SHA-256, in hex, of request, server's name and sample number.

    Raises InvalidRequestError where the request is nested too deeply.
    """
    try:
        said = canonical({"request": wire, "sample": sample, "server": server})
    except RecursionError:
        raise InvalidRequestError("The request is nested too deeply to be recorded.") from None
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _utf_16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    digits, _, exponent = repr(value).partition("e")
    if not exponent:
        return digits
    power = int(exponent)
    return f"{digits}e{power:+d}" if power >= 21 or power < -6 else f"{Decimal(repr(value)):f}"
