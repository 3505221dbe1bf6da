"""Which servers are asked: one, or several that are a factor of what is asked, as models on this machine may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from ..api.errors import InvalidRequestError
from .factors import Arm, values_of

if TYPE_CHECKING:
    from ..api.client import Client

FACTOR = "client"


class Server(NamedTuple):
    """A client, and the factors by which it is called: none where it is the only one."""

    factors: dict[str, Any]
    client: Client

    def asked(self, arm: Arm) -> Arm:
        """A choice of values, of this server where it is one of several."""
        return Arm({**self.factors, **arm.factors}, arm.fields, self.client) if self.factors else arm


def servers_of(client: Any, recorded: Mapping[str, Any]) -> list[Server]:
    """The servers that `client` means: the one of the environment, a client, or a list or dict of several.

    Of a list they are called by their models, where these differ, else by their names. Raises InvalidRequestError.
    """
    from ..backend import resolve_through

    given = values_of(FACTOR, client)
    if given is None:
        return [Server({}, resolve_through(client, **recorded))]
    if not given:
        raise InvalidRequestError("`client` has no values to go through.", field=FACTOR, remedy="Give at least one.")
    if recorded.get("replay") is not None:
        raise InvalidRequestError(
            "A replay asks no server, so that there are not several.", field=FACTOR,
            remedy="Leave out `client`; to ask only what is not known yet, give `journal` with `cache`.",
        )
    clients = [each for _, each in given]
    labels = [label for label, _ in given] if isinstance(client, Mapping) else _labels(clients)
    return [
        Server({FACTOR: label}, resolve_through(each, **recorded)) for label, each in zip(labels, clients, strict=True)
    ]


def _labels(clients: Sequence[Client]) -> list[str]:
    for names in ([each.model for each in clients], [each.name for each in clients]):
        if len(set(names)) == len(names):
            return names
    return [f"{each.model} {number}" for number, each in enumerate(clients, 1)]


def recording(clients: Sequence[Client]) -> ExitStack:
    """While it lasts, the journals of all of them are nobody else's to write. Raises JournalInUseError."""
    held = ExitStack()
    try:
        for client in clients:
            held.enter_context(client.recording())
    except BaseException:
        held.close()
        raise
    return held
