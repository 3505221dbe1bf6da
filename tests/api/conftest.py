"""What the tests of the wire share."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from ds_magic import Client

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

KEY = "sk-0a1b2c3d4e5f60718293a4b5c6d7e8f9"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    """Keys, addresses and proxies of whoever runs the tests."""
    for name in ("DEEPSEEK_API_KEY", "DEEPSEEK_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def key():
    """An API key of the usual form."""
    return KEY


@pytest.fixture
def connect(key):
    """Makes clients of a scripted server; what they say is ignored unless `on_event` is given."""
    clients = []

    def make(server, **options):
        options.setdefault("on_event", lambda event: None)
        clients.append(Client(getattr(server, "url", server), options.pop("api_key", key), **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
