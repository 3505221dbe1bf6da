"""What the tests of many answers share."""

import pytest

from ds_magic import Client


@pytest.fixture
def connect():
    """Makes clients of a scripted server; what they say is ignored."""
    clients = []

    def make(server, **options):
        clients.append(Client(server.url, "k", on_event=lambda event: None, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
