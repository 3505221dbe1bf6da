"""What a cell asks: from its text and options to a Turn, and whom the answer is shown to."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..api.errors import InvalidRequestError
from ..api.fields import STREAMED
from ..conversation.answer_schema import AnySchema, Schema, SchemaUse
from ..conversation.chats import Chat
from ..conversation.tools import Toolbox
from ..conversation.turn import Turn
from ..teaching.guess.curtain import Curtain
from .gap_in_cell import has_gap, notes_on_gap, request_of
from .keys_in_cells import refuse_filled_keys, refuse_keys_in
from .objects import named_dictionary, named_tools, named_type
from .observers import Binding
from .options import BY_KEY, DEFAULTED, request_fields
from .prompt import Filler, has_system, is_role, messages_of
from .settings import setting
from .shown import Shown
from .typeset import notes_on, plain_roles

if TYPE_CHECKING:
    from .deepseek import DeepSeekMagics


def turn_of(
    magics: DeepSeekMagics,
    text: str,
    values: Mapping[str, Any],
    fill: Filler,
    namespace: Mapping[str, Any],
    *,
    use: SchemaUse | None,
    notes: Sequence[str] = (),
) -> Turn:
    """The turn that a cell's text and options ask for; nothing is sent, and nothing changed.

    `use`: how the server is told of a schema, where there is one. `notes`: what there is to say about the line.
    Raises InvalidRequestError.
    """
    if has_gap(values):
        request = request_of(magics, text, values, fill)
        refuse_filled_keys(fill.filled)
        refuse_keys_in(request)
        return Turn(request, notes=(*notes, *fill.notes, *_shadowing(magics, values.get("output"))))
    may_be_empty = values.get("prefix") is not None or values.get("playground")
    if not text.strip() and not may_be_empty:
        raise InvalidRequestError(
            "There is nothing to ask: the cell is empty.",
            remedy="Write the prompt below `%%deepseek`, or after the options of `%deepseek`.",
        )
    text, read = plain_roles(text, is_role)
    chat = _chat_of(magics, values, namespace)
    key = magics.turn_in(chat.name, text) if chat is not None else ""
    before = chat.before(key) if chat is not None and not values.get("restart") else []
    system = values.get("system")
    if system is None and not has_system(text) and not before:
        system = setting(magics, "system")
    asked = messages_of(text, fill, system=system, prefix=values.get("prefix"))
    if not text.strip() and values.get("playground"):  # in which it is written
        asked.insert(bool(system), {"role": "user", "content": ""})
    refuse_filled_keys(fill.filled)

    fields: dict[str, Any] = {}
    for name in DEFAULTED:
        if (value := setting(magics, name)) is not None:
            fields |= BY_KEY[name].fields(value)
    fields |= STREAMED | request_fields(dict(values))
    if fields["stream"] is False:
        fields.pop("stream_options")
    tools = named_tools(values["tools"], namespace) if "tools" in values else ()
    toolbox = Toolbox(tools, is_strict=bool(values.get("strict")))
    if isinstance(values.get("extra"), str):
        fields["extra"] = named_dictionary(values["extra"], namespace)

    turn = Turn.of(
        asked,
        {name: value for name, value in fields.items() if value is not None},
        toolbox=toolbox,
        schema=_schema_of(values, namespace),
        use=use,
        chat=chat,
        key=key,
        restart=bool(values.get("restart")),
        notes=(*notes, *notes_on(read), *notes_on_gap(text), *fill.notes, *_shadowing(magics, values.get("output"))),
        **{name: values[name] for name in ("max_rounds", "run_tools", "repair") if name in values},
    )
    refuse_keys_in(turn.request)
    return turn


def _shadowing(magics: DeepSeekMagics, name: str | None) -> Iterator[str]:
    """A note where the variable of `--output` takes a name away that Python or IPython needs.

    Raises InvalidRequestError where nothing would go on without it.
    """
    if name == "get_ipython":
        raise InvalidRequestError(
            "`get_ipython` is what every magic runs by: none would run any longer.", remedy="Take another name."
        )
    hidden = magics.shell.user_ns_hidden if magics.shell is not None else {}
    if name and hasattr(builtins, name):
        yield f"`{name}` is the answer now, and no longer Python's own: `del {name}` brings that back."
    elif name and name in hidden and not name.startswith("_"):
        yield f"`{name}` is the answer now, and no longer IPython's own; another name is safer."


_LATE = "plays on what a cell answers, and with `--bg` the cell has ended by then."
_SEEN = "`--explore` shows the answer, which is to be guessed first."
_APART = {
    ("explore", "bg"): (
        "`--explore` shows what a cell answers, and with `--bg` the cell has ended by then.",
        "Leave it out, and explore the result: `handle.result().explore()`.",
    ),
    ("guess", "bg"): (f"`--guess` {_LATE}", "Leave it out, and guess afterwards: `handle.result().guess()`."),
    ("vote", "bg"): (f"`--vote` {_LATE}", "Leave it out, and vote afterwards: `handle.result().guess(vote=True)`."),
    ("guess", "explore"): (_SEEN, "Leave it out, and explore afterwards: `answer.explore()`."),
    ("vote", "explore"): (_SEEN, "Leave it out, and explore afterwards: `answer.explore()`."),
}
"""Options that exclude each other: why, and what to do."""


def shown_to(magics: DeepSeekMagics, turn: Turn, values: Mapping[str, Any]) -> Shown:
    """The audience of a cell: its views, and the variables.

    Raises InvalidRequestError where it can have no such audience.
    """
    for (one, other), (why, remedy) in _APART.items():
        if values.get(one) and values.get(other):
            raise InvalidRequestError(why, remedy=remedy)
    seat = magics.seat()
    return Shown(
        "none" if values.get("quiet") else setting(magics, "view"),
        beside=lambda: [Binding(magics.shell, values.get("output"), seat)],
        fields=turn.schema.fields if turn.schema is not None else None,
        behind=partial(Curtain, vote=bool(values.get("vote"))) if is_hidden(values) else None,
    )


def is_hidden(values: Mapping[str, Any]) -> bool:
    """Whether the answer is to be guessed before it is seen."""
    return bool(values.get("guess") or values.get("vote"))


def _chat_of(magics: DeepSeekMagics, values: Mapping[str, Any], namespace: Mapping[str, Any]) -> Chat | None:
    """The conversation that `--chat` names: a variable that is one, or the kernel's of that name."""
    name = values.get("chat")
    if name is None:
        if values.get("restart"):
            raise InvalidRequestError(
                "`--restart` does not say which conversation.", remedy="For example `--chat lesson --restart`."
            )
        return None
    value = namespace.get(name)
    chat = value if isinstance(value, Chat) else magics.chats.get(name) or Chat(name)
    chat.arrange(magics.cells.ids())
    return chat


def _schema_of(values: Mapping[str, Any], namespace: Mapping[str, Any]) -> AnySchema | None:
    if "schema" in values:
        return Schema(named_type(values["schema"], namespace), values["schema"])
    if values.get("json"):
        return AnySchema()
    if "repair" in values:
        raise InvalidRequestError("`--repair` is for `--schema` and `--json`.", remedy="Give one of them as well.")
    return None
