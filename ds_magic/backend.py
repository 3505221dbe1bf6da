"""Which server answers: DeepSeek or another one with a key or a base URL, the embedded one without."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any

from .api.addresses import EMBEDDED
from .api.clean_text import on_one_line
from .recording import recording_meant

if TYPE_CHECKING:
    from .api.client import Client
    from .api.model_choice import Offer
    from .api.response import ChatCompletion
    from .api.secret import Secret
    from .api.stream import Stream
    from .api.timeouts import Timeouts

_login: Secret | None = None
_clients: dict[Hashable, Client] = {}
_offers: dict[Hashable, Offer] = {}
_said_why = False


def login(key: str) -> None:
    """Use `key` from now on, in this process only; before the environment's."""
    from .api.secret import Secret

    global _login
    _login = Secret.of(key)


def logout() -> None:
    """Forget the key of `login`, and every connection made with it."""
    global _login
    _login = None
    _clients.clear()
    _offers.clear()


def current_key() -> Secret | None:
    """The key that requests are sent with: that of `login`, else DEEPSEEK_API_KEY, else None."""
    from .api.secret import Secret

    return _login or Secret.of(os.environ.get("DEEPSEEK_API_KEY"))


def resolve(
    *, local: bool | None = None, local_model: str | None = None, base_url: str | None = None,
    timeout: Timeouts | float | None = None,
    journal: Any = None, cache: bool | None = None, replay: Any = None, speed: float | None = None,
) -> Client:
    """The client of the server that the environment means; the same one again for the same server.

    `local` means the embedded server whatever else is set, and false that it is never meant; `local_model` says which
    model it has, by a name as `--local-model` takes it, and is nobody's concern elsewhere. `base_url` means another
    server. Without them: DEEPSEEK_BASE_URL if set, DeepSeek if there is a key, else the embedded server.
    Raises a DeepSeekError that names both ways out where the embedded server cannot be had, or was not to answer.
    Which models a server offers is asked once for all its clients, before the first request that names none.
    `journal`, `cache`, `replay` and `speed` as for `Client`, and where they are not given as `recording_meant` says: a
    replay means no server, and starts none.
    """
    from .api.client import Client

    meant = recording_meant(journal=journal, cache=cache, replay=replay, speed=speed)
    if "replay" in meant or "speed" in meant:
        from .local.models.names import short

        return Client(base_url, model=short(local_model) if local_model else None, **meant)
    return _through(_resolved(local, local_model, base_url, timeout), meant)


def _through(client: Client, recording: dict[str, Any]) -> Client:
    """A client that asks through a journal: the same one for the same file."""
    if not any(recording.values()):
        return client
    journal = recording.get("journal")
    file = journal and os.path.realpath(getattr(journal, "path", journal))
    return _client((client, file, recording.get("cache")), lambda: client.through(**recording))


def local_model(name: str | None = None, *, timeout: Timeouts | float | None = None) -> Client:
    """The client of a model on this machine, whatever else is set: for `client=` of all that takes one.

    `name` is a GGUF file, `hf:owner/repo[/file]` or `ollama:name`, as for `--local-model`; without one it is that of
    DS_MAGIC_LOCAL_MODEL, else the small one that comes with us. Raises a DeepSeekError.
    """
    return resolve(local=True, local_model=name, timeout=timeout)


def _resolved(
    local: bool | None, local_model: str | None, base_url: str | None, timeout: Timeouts | float | None
) -> Client:
    from .api.addresses import given_url
    from .api.client import Client
    from .api.errors import AuthenticationError
    from .api.model_choice import Offer

    base_url = given_url(base_url)
    key = current_key()
    if local is False and not (key or base_url):
        raise AuthenticationError(
            "The model on this machine was not to answer, and nobody else can: there is no API key, and no base URL of "
            "another server.",
            remedy="Give a key with `%ds_login` or in DEEPSEEK_API_KEY, or an address with `--base-url`.",
        )
    if local or not (key or base_url):
        from .local.launch import ensure
        from .local.models.names import asked

        name = asked(local_model)
        server = ensure(name)
        client = _client((EMBEDDED, name, bool(local_model), server.model, timeout), lambda: Client(
            server.base_url, server.api_key, model=server.model, timeout=timeout, name=EMBEDDED,
            locate=partial(_located, name),
        ))
        client.local_model = local_model or None
        if not local:
            _say_once_why(client)
        return client
    offer = _offers.setdefault((base_url, key), Offer())
    return _client((base_url, key, timeout), lambda: Client(base_url, key, timeout=timeout, offer=offer))


def resolve_through(
    client: Client | None,
    *,
    journal: Any = None,
    cache: bool | None = None,
    replay: Any = None,
    speed: float | None = None,
) -> Client:
    """`client`, else the one that the environment means, asking through a journal where one is given."""
    if client is None or replay is not None or speed is not None:
        return resolve(journal=journal, cache=cache, replay=replay, speed=speed)
    return client.through(journal=journal, cache=bool(cache)) if journal is not None or cache else client


def _located(name: str) -> tuple[str, str]:
    """Where the embedded server of a model is by now, started again if it died, and its key."""
    from .local.launch import ensure

    server = ensure(name)
    return server.base_url, server.api_key


def default_model(base_url: str | None = None) -> str:
    """The model of a request that names none, as far as it is known without asking the server."""
    from .api.addresses import given_url
    from .api.client import Client

    base_url = given_url(base_url)
    return Client(base_url, "none", offer=_offers.get((base_url, current_key()))).model


def _say_once_why(client: Client) -> None:
    global _said_why
    if not _said_why:
        _said_why = True
        client.announce("There is no API key: a small language model on this machine answers. `%ds_login` takes one.")


def client_of(answer: ChatCompletion) -> Client | None:
    """The client of the server that gave `answer`, or None where it is no longer known.

    Where a model on this machine gave it, it is asked only if it is here: an answer may be out of a file of somebody
    else's, and nothing is fetched because of what stands in that. Raises InvalidRequestError.
    """
    from .api.errors import InvalidRequestError
    from .api.served import local_model
    from .local.models.obtain import is_here

    name = _unless_meant(local_model(answer))
    if name and "replay" not in recording_meant() and not is_here(name):
        raise InvalidRequestError(
            f"This answer came from {on_one_line(name)}, which is not on this machine.",
            remedy=f"`ds-magic fetch {on_one_line(name)}` brings it, if it is a model that you trust.",
        )
    return named(answer.backend, name)


def named(name: str | None, local_model: str | None = None) -> Client | None:
    """The client of the server that a completion's `backend` names, or None where it is no longer known.

    `local_model`: how the model is named that is to answer, if it is this machine's.
    It records where everything does; and a recording that everything is answered from is asked itself.
    """
    recording = recording_meant()
    if "replay" in recording or name == EMBEDDED:
        return resolve(local=True, local_model=local_model)
    client = known(name) or resolve()
    return _through(client, recording) if client.name == name else None


def known(name: str | None, local_model: str | None = None) -> Client | None:
    """The same of those that were asked in this process, which starts and asks nothing."""
    of_name = (client for client in _clients.values() if client.name == name)
    return next((client for client in of_name if client.local_model == _unless_meant(local_model)), None)


def is_asked_again(client: Client, answer: ChatCompletion) -> bool:
    """Whether `client` asks the model on this machine that gave `answer`: it has the same tokens."""
    from .api.served import local_model
    from .local.models.names import asked

    return client.server == answer.backend == EMBEDDED and asked(client.local_model) == (local_model(answer) or "")


def _unless_meant(local_model: str | None) -> str | None:
    """A model's name, unless the environment means it anyway."""
    from .local.models.names import asked

    return None if local_model == asked() else local_model


def reached(base_url: str, key: Secret | None, name: str) -> Client:
    """The client of a server that another process asks, with that one's key or none: never with one from here."""
    from .api.client import Client

    return _client((base_url, key, name), lambda: Client(base_url, key or "", name=name))


def _client(identity: Hashable, make: Callable[[], Client]) -> Client:
    if identity not in _clients:
        _clients[identity] = make()
    return _clients[identity]


def chat(
    messages: Any, *, local_model: str | None = None, journal: Any = None, cache: bool | None = None,
    replay: Any = None, speed: float | None = None,
    **fields: Any,
) -> ChatCompletion:
    """The whole answer of whichever server the environment means; see `Client.chat`, and `Client` for the journal.

    `local_model` names a model on this machine, which then answers; see `local_model`.
    """
    return _meant(local_model, journal=journal, cache=cache, replay=replay, speed=speed).chat(messages, **fields)


def stream(
    messages: Any, *, local_model: str | None = None, journal: Any = None, cache: bool | None = None,
    replay: Any = None, speed: float | None = None,
    **fields: Any,
) -> Stream:
    """The answer of whichever server the environment means, as it comes; see `Client.stream`, `Client` and `chat`."""
    return _meant(local_model, journal=journal, cache=cache, replay=replay, speed=speed).stream(messages, **fields)


def complete(
    prompt: str, suffix: str | None = None, *, local_model: str | None = None, journal: Any = None,
    cache: bool | None = None, replay: Any = None, speed: float | None = None, **fields: Any,
) -> ChatCompletion:
    """What stands between `prompt` and `suffix`, by whichever server the environment means; see `Client.complete`."""
    client = _meant(local_model, journal=journal, cache=cache, replay=replay, speed=speed)
    return client.complete(prompt, suffix, **fields)


def stream_complete(
    prompt: str, suffix: str | None = None, *, local_model: str | None = None, journal: Any = None,
    cache: bool | None = None, replay: Any = None, speed: float | None = None, **fields: Any,
) -> Stream:
    """The same as it comes; see `Client.stream_complete`, and `Client`."""
    client = _meant(local_model, journal=journal, cache=cache, replay=replay, speed=speed)
    return client.stream_complete(prompt, suffix, **fields)


def _meant(local_model: str | None, **recording: Any) -> Client:
    return resolve(local=True if local_model else None, local_model=local_model, **recording)
