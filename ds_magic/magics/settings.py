"""Defaults: `%config` and IPython's config files first, then the environment."""

from __future__ import annotations

import os
from typing import Any

from traitlets import TraitError

from ..api.errors import InvalidRequestError


def setting(magics: Any, name: str) -> Any:
    """The default that is set for `name`, or None.

    Strongest first: the trait, DS_MAGIC_NAME, DEEPSEEK_NAME. Raises InvalidRequestError where a variable of
    the environment holds what the trait does not take.
    """
    value = getattr(magics, name)
    if value is not None:
        return value
    trait = magics.traits()[name]
    for prefix in ("DS_MAGIC_", "DEEPSEEK_"):
        variable = prefix + name.upper()
        text = os.environ.get(variable, "").strip()
        if not text:
            continue
        try:
            return trait._validate(magics, trait.from_string(text))
        except (TraitError, ValueError):
            pass
        raise InvalidRequestError(
            f"The environment variable {variable} is {text!r}, which is not {trait.info()}.",
            field=name,
            remedy=f"{trait.help} Change the variable, or set `%config DeepSeekMagics.{name} = …`.",
        )
    return None
