"""A completion as JSON and back, without loss: the body as it came, what was asked, and all that hangs on it."""

from __future__ import annotations

import json
import re
import uuid
import zlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import conveniences
from .completion_request import kind_of
from .errors import InvalidRequestError
from .recorded import Recorded
from .request import ChatRequest
from .token_logprobs import StreamedEntries
from .usage import Timing

if TYPE_CHECKING:
    from ..conveniences import Branch
    from .response import ChatCompletion

FORMAT, VERSION = "ds_magic completion", 1


def write(completion: ChatCompletion, path: str | Path) -> Path:
    """Write a completion, its rounds and its branches to a JSON file."""
    path = Path(path)
    path.write_text(dumped({"format": FORMAT, "version": VERSION, **state_of(completion)}), encoding="utf-8")
    return path


def read(path: str | Path, kind: type[ChatCompletion]) -> ChatCompletion:
    """The completion that `write` wrote. Raises InvalidRequestError where the file is none."""
    try:
        saved = json.loads(Path(path).read_text(encoding="utf-8"))
        if saved["format"] == FORMAT and saved["version"] == VERSION:
            return restored(saved, kind)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise InvalidRequestError(
        f"{path} is not a saved answer that this version reads.", remedy="Answers are written by `answer.save(path)`."
    )


def without_tables(completion: ChatCompletion) -> dict[str, Any]:
    """What a completion holds beside its token probabilities, its rounds and its branches, as JSON."""
    state = _around(completion)
    bare = completion.model_dump(exclude={"choices": {"__all__": {"logprobs"}}})
    choices = [{**choice, "logprobs": None} for choice in bare["choices"]]
    body = {**(completion._raw.body or bare), "choices": choices}
    asked = state["request"] and _without_tokens(state["request"])
    return {"body": body, **state, "request": asked, "rounds": [], "branches": []}


def with_tables(saved: dict[str, Any], content: list[dict[str, Any]], kind: type[ChatCompletion]) -> ChatCompletion:
    """The completion of `without_tables`, with the wire's entries of its content. Raises what damaged fields raise."""
    first, *others = saved["body"]["choices"]
    body = {**saved["body"], "choices": [{**first, "logprobs": {"content": content}}, *others]}
    return restored({**saved, "body": body, "rounds": [], "branches": []}, kind)


def _without_tokens(request: dict[str, Any]) -> dict[str, Any]:
    """A request without the tokens of its prefix, which are known from a table, and are many."""
    messages = [
        {name: value for name, value in message.items() if name != "prefix_tokens"}
        for message in request["fields"].get("messages", ())
    ]
    return {**request, "fields": {**request["fields"], "messages": messages}}


def packed(completion: ChatCompletion) -> bytes:
    """The body, small: 8,000 tokens with 20 alternatives are 13 MB of JSON."""
    return zlib.compress(dumped(_body(completion)).encode(), 1)


def unpacked(data: bytes) -> Any:
    """The body that `packed` packed."""
    return json.loads(zlib.decompress(data))


def _body(completion: ChatCompletion) -> dict[str, Any]:
    body = completion._raw.body
    return completion.model_dump() if body is None else body


def state_of(completion: ChatCompletion) -> dict[str, Any]:
    """All of a completion that is not made from the rest of it; its parent is not part of it."""
    return {
        "body": _body(completion),
        **_around(completion),
        "rounds": [
            {
                "completion": None if each.completion is completion else state_of(each.completion),
                "calls": [asdict(call) for call in each.calls],
            }
            for each in completion.rounds
        ],
        "branches": [state_of(child) for child in completion.branches],
    }


def _around(completion: ChatCompletion) -> dict[str, Any]:
    """What a completion has beside its body, its rounds and its branches."""
    asked, timing, branch = completion.request, completion.timing, completion.branch
    return {
        "request": asked and _asked(asked),
        "timing": timing and asdict(timing),
        "backend": completion.backend,
        "recorded": completion.recorded and asdict(completion.recorded),
        "interruption": completion.interruption,
        "notes": completion.notes,
        "parsed": _as_json(completion._parsed),
        "branch": branch and asdict(branch),
    }


def restored(saved: dict[str, Any], kind: type[ChatCompletion]) -> ChatCompletion:
    """The completion of `state_of`. Raises what damaged fields raise."""
    asked, timing = saved["request"], saved["timing"]
    completion = kind.from_wire(
        saved["body"],
        request=_request(asked) if asked else None,
        timing=Timing(**timing) if timing else None,
        backend=saved["backend"],
        recorded=Recorded(**recorded) if (recorded := saved.get("recorded")) else None,
        interruption=saved["interruption"],
        notes=saved["notes"],
    )
    if saved["parsed"]:
        completion.parsed = saved["parsed"][0]
    completion.rounds = [
        conveniences.round_of(
            restored(each["completion"], kind) if each["completion"] else completion, each["calls"])
        for each in saved["rounds"]
    ]
    if saved["branch"]:
        completion._branch = conveniences.branch_of(saved["branch"])
    for child in saved["branches"]:
        made = restored(child, kind)
        if made.branch is not None:
            made.adopted_by(completion, _spelt(made.branch, completion))
    return completion


def _spelt(branch: Branch, parent: ChatCompletion) -> Branch:
    """A branch with the text that it replaced: an earlier version wrote the token's label."""
    table = parent.logprobs
    return replace(branch, replaced=table.text_at(branch.position)) if table and branch.position is not None else branch


def _asked(request: ChatRequest) -> dict[str, Any]:
    fields = request.model_dump(exclude_unset=True)
    return {"fields": {**fields, "extra": request.extra} if request.extra else fields, "replays": request._replays}


def _request(saved: dict[str, Any]) -> ChatRequest:
    request = kind_of(saved["fields"]).model_validate(saved["fields"])
    request._replays = bool(saved["replays"])
    return request


def _as_json(parsed: tuple[Any] | None) -> list[Any] | None:
    """An object that was made from the content, as the JSON it was made from; None where it is no longer JSON."""
    if parsed is None:
        return None
    value = parsed[0]
    value = value.model_dump() if hasattr(value, "model_dump") else value
    try:
        return [json.loads(json.dumps(value))]
    except (TypeError, ValueError, RecursionError):
        return None


def dumped(value: Any) -> str:
    """JSON; the lists that streamed are put in as they came, without making objects of them."""
    mark = uuid.uuid4().hex
    streamed: list[str] = []

    def stand_in(found: Any) -> str:
        if not isinstance(found, StreamedEntries):
            raise TypeError(f"{type(found).__name__} is no JSON")
        streamed.append(found.json())
        return f"{mark}{len(streamed) - 1}"

    text = json.dumps(value, separators=(",", ":"), default=stand_in)
    pieces = re.split(f'"{mark}([0-9]+)"', text)
    pieces[1::2] = [streamed[int(number)] for number in pieces[1::2]]
    return "".join(pieces)
