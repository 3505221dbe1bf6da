"""Defaults: `%config` and IPython's config files first, then the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from traitlets import Bool, Enum, Float, Integer, TraitError, TraitType, Unicode

from ..api.errors import InvalidRequestError
from ..api.fields import Field


def traits_of(fields: Mapping[str, Field]) -> dict[str, TraitType[Any, Any]]:
    """A trait for each field that can be set for every cell, so that `%config` and config files know it."""
    return {name: _trait(name, field).tag(config=True) for name, field in fields.items() if field.is_default}


def _trait(name: str, field: Field) -> TraitType[Any, Any]:
    about = f"{field.help[0].upper()}{field.help[1:]}, as --{name.replace('_', '-')}."
    if field.range and field.kind != "flag":
        about = f"{field.range[0].upper()}{field.range[1:]}: {field.help}, as --{name.replace('_', '-')}."
    common: dict[str, Any] = {"default_value": None, "allow_none": True, "help": about}
    if field.kind == "flag":
        return Bool(**common)
    if field.kind == "number":
        return Float(min=field.least, max=field.most, **common)
    if field.kind == "count":
        return Integer(min=field.least, max=field.most, **common)
    return Enum(list(field.choices), **common) if field.choices else Unicode(**common)


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
