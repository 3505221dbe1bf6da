"""Which servers are asked: one, or several that are a factor of what is asked, as models on this machine may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from ..api.errors import InvalidRequestError
from .factors import Arm, values_of

if TYPE_CHECKING:
    from ..api.client import Client

FACTORS = ("client", "local_model")


class Server(NamedTuple):
    """A client, and the factors by which it is called: none where it is the only one."""

    factors: dict[str, Any]
    client: Client

    def asked(self, arm: Arm) -> Arm:
        """A choice of values, of this server where it is one of several."""
        return Arm({**self.factors, **arm.factors}, arm.fields, self.client) if self.factors else arm


def servers_of(options: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[Server]:
    """The servers that `client` or `local_model` mean: the one of the environment, one that is named, or several.

    A list of clients is called by their models, where these differ, else by their names. Raises a DeepSeekError.
    """
    said = [name for name in FACTORS if options.get(name) is not None]
    if len(said) > 1:
        raise InvalidRequestError(
            "`client` and `local_model` both say who is asked.", field="local_model",
            remedy='Give one of them; a client of a model on this machine is `ds_magic.local_model("…")`.',
        )
    factor = said[0] if said else "client"
    value = options.get(factor)
    given = values_of(factor, value)
    if given is None:
        return [Server({}, _client(factor, value, recorded))]
    if not given:
        raise InvalidRequestError(f"`{factor}` has no values to go through.", field=factor, remedy="Give at least one.")
    if factor == "client":
        if recorded.get("replay") is not None:
            raise InvalidRequestError(
                "A replay asks no server, so that there are not several.", field=factor,
                remedy="Leave out `client`; to ask only what is not known yet, give `journal` with `cache`.",
            )
        if not isinstance(value, Mapping):
            clients = [client for _, client in given]
            given = list(zip(_labels(clients), clients, strict=True))
    return [Server({factor: label}, _client(factor, each, recorded)) for label, each in given]


def _client(factor: str, value: Any, recorded: Mapping[str, Any]) -> Client:
    from ..backend import resolve, resolve_through

    if factor == "client":
        return resolve_through(value, **recorded)
    return resolve(local=True, local_model=value, **recorded)


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
