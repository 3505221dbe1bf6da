"""Where requests go: base URLs and their default, what is served under `/beta`, whose a server is."""

from __future__ import annotations

import os
from urllib.parse import SplitResult, urlsplit

DEEPSEEK_URL = "https://api.deepseek.com"
DEEPSEEK = "DeepSeek"
EMBEDDED = "embedded model"
"""How DeepSeek's service and the server on this machine are called in what people see; others by their `place`."""


def base_url_of(given: str | None = None) -> str:
    """The base URL that is meant: the one given, else DEEPSEEK_BASE_URL, else DeepSeek's; no slash at its end."""
    return (given_url(given) or DEEPSEEK_URL).strip().rstrip("/")


def given_url(given: str | None = None) -> str | None:
    """The base URL that somebody gave: here, or in the environment; None where nobody did."""
    return given or os.environ.get("DEEPSEEK_BASE_URL") or None


def address(base_url: str, path: str, *, beta: bool = False) -> str:
    """The address of `path` at a server; with `beta` where its beta features are, which stand beside `/v1`."""
    if beta and not base_url.endswith("/beta"):
        base_url = base_url.removesuffix("/v1") + "/beta"
    return base_url + path


def root(base_url: str) -> str:
    """The root of a server's host, above `/v1` and `/beta`."""
    parts = _split(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def is_deepseek(base_url: str) -> bool:
    """Whether this is DeepSeek's own service."""
    host = place(base_url).split(":")[0]
    return host == "deepseek.com" or host.endswith(".deepseek.com")


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    host = host_of(url) or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def host_of(url: str) -> str | None:
    """The host of a URL without its port, or None where it is no URL."""
    return _split(url).hostname


def place(url: str) -> str:
    """The host and port of a URL, for people; never its user or password."""
    parts = _split(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    host = parts.hostname or url.rpartition("@")[2]
    return f"{host}:{port}" if port else host


def path_of(url: str) -> str:
    """The path of a URL."""
    return _split(url).path


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
