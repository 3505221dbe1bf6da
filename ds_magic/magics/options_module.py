"""What the page's editor needs to know of our magics, as a module of JavaScript that is made here and committed.

`python -m ds_magic.magics.options_module` writes it anew.
"""

from __future__ import annotations

import json
import keyword
from pathlib import Path
from typing import Any

from .line import bounds
from .options import COMPANIONS, OPTIONS, Option, example_value
from .prompt import ATTRIBUTES
from .typeset import DASHES, LONG_DASHES, QUOTES

FILE = Path(__file__).parents[1] / "labextension/js/prompts/options.js"


def options_module() -> str:
    """The text of the module."""
    constants = {
        "OPTIONS": ("The options of the magic line, and what their values may be.", [_known(each) for each in OPTIONS]),
        "COMPANIONS": ("The line magics beside `%deepseek`, and the options that each takes.", COMPANIONS),
        "ROLES": ("The attributes of each role's line.", {role: list(names) for role, names in ATTRIBUTES.items()}),
        "KEYWORDS": ("Names that no variable can have.", keyword.kwlist),
        "DASHES": ("Dashes that stand for plain ones.", DASHES),
        "LONG_DASHES": ("Those of them that stand for two.", LONG_DASHES),
        "QUOTES": ("By the quote that begins a value, those that can end it.", QUOTES),
    }
    lines = ["// The table of options and what belongs to it: `python -m ds_magic.magics.options_module` makes it.", ""]
    for name, (what, value) in constants.items():
        lines += [f"/** {what} */", f"export const {name} = {_listed(value)};", ""]
    return "\n".join(lines)


def _known(option: Option) -> dict[str, Any]:
    """What an editor needs to know of an option, without what does not apply to it."""
    least, most = bounds(option)
    known: dict[str, Any] = {
        "name": option.name,
        "kind": option.kind,
        "spellings": option.spellings,
        "help": option.help,
        "possible": option.range or option.metavar,
        "example": example_value(option),
        "least": least,
        "most": most,
        "choices": list(option.choices),
        "implied": option.implied,
        "listed": option.is_listed or None,
    }
    return {name: value for name, value in known.items() if value not in (None, "", [])}


def _listed(value: Any) -> str:
    """JSON, with each thing of a list or of a mapping of lists in a line of its own."""
    if isinstance(value, dict):
        lines = [f"  {_json(name)}: {_json(each)}," for name, each in value.items()]
        return "\n".join(["{", *lines, "}"])
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "\n".join(["[", *(f"  {_json(each)}," for each in value), "]"])
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value)


if __name__ == "__main__":
    FILE.write_text(options_module(), encoding="utf-8")
