"""What the page offers to set: the fields of a request that one plays with, as `api.fields` declares them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...api.addresses import EMBEDDED
from ...api.fields import FIELDS, MOST_ALTERNATIVES, Field

GROUPS = ("The answer", "Probabilities")
"""Those of the options whose fields are played with; what else a question has goes along as it is."""

CONTROLLED: Mapping[str, Field] = {
    name: each for name, each in FIELDS.items() if each.group in GROUPS and each.help
}

STEPS = 40
"""Into how many steps a slider's range is divided."""


def controls(usual: Mapping[str, Any], model: str, server: str | None) -> list[dict[str, Any]]:
    """Each field as the page draws it: its words, and its range.

    `usual`: what a field is where nobody sets it here, as far as it was set for every cell. `model`: who answers where
    nobody is named. `server`: who is asked.
    """
    words = {name: f"{_said(value)} (for every cell)" for name, value in usual.items()}
    words.setdefault("model", model)
    return [
        _control(name, each, server) | {"usual": usual.get(name), "unset": words.get(name, "not set")}
        for name, each in CONTROLLED.items()
    ]


def _said(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _control(name: str, field: Field, server: str | None) -> dict[str, Any]:
    least, most = field.least, field.most
    if name == "top_logprobs" and server != EMBEDDED:
        most = MOST_ALTERNATIVES
    control: dict[str, Any] = {
        "name": name, "help": field.help, "range": field.option_words or field.range, "least": least, "most": most,
        "kind": "words",
    }
    if field.kind == "number" and least is not None and most is not None:
        # Where a slider stands until it is moved: where it would change nothing.
        neutral = 0 if least < 0 else 1
        control |= {"kind": "slider", "step": (most - least) / STEPS, "neutral": neutral}
    elif field.kind in ("number", "count"):
        control |= {"kind": "number", "step": 1 if field.kind == "count" else "any"}
    elif field.kind == "flag":
        choices = [[True, "on"], [False, "off"]] if field.negatable else [[True, "on"]]
        control |= {"kind": "choice", "choices": choices}
    elif field.choices:
        control |= {"kind": "choice", "choices": [[each, each] for each in field.choices]}
    elif field.repeatable:
        control["kind"] = "lines"
    return control
