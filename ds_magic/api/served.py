"""What a server says of how it made an answer, and what follows from that and the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..logprobs.provenance import Provenance
from .addresses import EMBEDDED
from .lenient import Incoming, Lenient
from .notes import IGNORED_WHILE_THINKING

if TYPE_CHECKING:
    from .response import ChatCompletion

SAMPLING = (*IGNORED_WHILE_THINKING, "seed")


class Served(Incoming):
    """The object `provenance` at the top of a body, as the embedded server sends it: what was in force, who answered.

    `thinking_temperature` is the thought's where it differs from the answer's.
    """

    temperature: Lenient[float] = None
    thinking_temperature: Lenient[float] = None
    top_p: Lenient[float] = None
    seed: Lenient[int] = None
    frequency_penalty: Lenient[float] = None
    presence_penalty: Lenient[float] = None
    model_file: Lenient[str] = None
    sha256: Lenient[str] = None
    quantisation: Lenient[str] = None
    build: Lenient[str] = None
    threads: Lenient[int] = None


def local_model(completion: ChatCompletion) -> str | None:
    """How the model was named that answered on this machine; None where nobody named one, or another answered."""
    name = provenance(completion).more.get("local_model") if completion.backend == EMBEDDED else None
    return name if isinstance(name, str) else None


def said_to_be_used(completion: ChatCompletion) -> dict[str, float]:
    """What the server says that it drew the answer with, by the names of the request's fields."""
    served = _served(completion)
    told = {name: getattr(served, name) for name in SAMPLING}
    return {name: value for name, value in told.items() if value is not None}


def led_by_words(completion: ChatCompletion) -> bool:
    """Whether the server says that it put a gap into words, for a model that was not made to fill one."""
    return (_served(completion).model_extra or {}).get("gap") == "words"


def _served(completion: ChatCompletion) -> Served:
    sent = (completion.model_extra or {}).get("provenance")
    return Served.model_validate(sent if isinstance(sent, dict) else {})


def provenance(completion: ChatCompletion, *, of_thinking: bool = False) -> Provenance:
    """How the answer (or the thought before it) was made: what the server said, else what was asked for.

    What is asked for has no effect where a model thinks: unless the server says what it used, nobody knows.
    """
    served = _served(completion)
    asked = completion.request
    thought = completion.reasoning_content is not None
    used: dict[str, Any] = {}
    for name in SAMPLING:
        used[name] = getattr(served, name)
        if used[name] is None and not (thought and name in IGNORED_WHILE_THINKING):
            used[name] = getattr(asked, name, None)
    if of_thinking and served.thinking_temperature is not None:
        used["temperature"] = served.thinking_temperature
    who = {name: getattr(served, name) for name in ("model_file", "sha256", "quantisation", "build", "threads")}
    return Provenance(
        model=completion.model,
        fingerprint=completion.system_fingerprint,
        backend=completion.backend,
        **used,
        **who,
        more=dict(served.model_extra or {}),
    )
