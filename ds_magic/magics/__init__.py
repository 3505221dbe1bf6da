"""The notebook surface: what `%load_ext ds_magic` registers, and takes back on unload."""

from __future__ import annotations

from copy import deepcopy
from typing import Any


def load(shell: Any) -> None:
    """Register magics, input transformer and completion with `shell`; nothing where they are already."""
    from ..local.thrift import Thrift
    from .completer import matcher_of
    from .deepseek import DeepSeekMagics
    from .misspelt import suggest_magics
    from .protect import place_of_protection, protect_cells, protect_questions

    if DeepSeekMagics.of(shell) is not None:
        return
    magics = _configured(DeepSeekMagics, shell)
    magics.displaced = {
        kind: {name: shell.magics_manager.magics[kind].get(name) for name in names}
        for kind, names in magics.magics.items()
    }
    shell.magics_manager.register(magics)
    magics.suggest = suggest_magics(shell, {name for names in magics.magics.values() for name in names})
    transformers = shell.input_transformers_cleanup
    transformers.insert(place_of_protection(transformers), protect_cells)
    transformers.extend([magics.suggest, protect_questions])
    shell.events.register("pre_run_cell", magics.before_cell)
    shell.events.register("post_run_cell", magics.after_cell)
    magics.thrift = Thrift(PAUSE)
    shell.events.register("post_run_cell", magics.thrift.happened)
    magics.matcher = matcher_of(magics)
    shell.Completer.custom_matchers.append(magics.matcher)
    if (pages := _comms(shell)) is not None:
        pages.register_target(BRANCHES, _branching)


PAUSE = 5.0
"""Seconds after the last cell, after which the kernel gives freed memory back."""
BRANCHES = "ds_magic.answer"
"""What the comm of an output is called that asks for a branch."""


def _branching(comm: Any, message: dict[str, Any]) -> None:
    """An output of a page asks for a branch."""
    from ..branch import fork
    from ..views.tokens.explorer.branching_from_page import Correspondence

    Correspondence(comm, message, fork)


def _comms(shell: Any) -> Any:
    """What speaks with pages, where a kernel runs this."""
    return getattr(getattr(shell, "kernel", None), "comm_manager", None)


def _configured(kind: type[Any], shell: Any) -> Any:
    """The magics with the defaults of `%config` and of IPython's files, without those that are impossible.

    A value that `%config` refused stays in the shell's configuration, where it would prevent every reload.
    """
    from traitlets import TraitError
    from traitlets.config import Config

    section = shell.config[kind.__name__]
    for name, value in list(section.items()):
        try:
            kind(shell=None, config=Config({kind.__name__: {name: value}}))
        except TraitError as error:
            del section[name]
            print(f"ds_magic: the configured {kind.__name__}.{name} is left out: {error}")
    magics = kind(shell=shell)
    magics.configured = deepcopy(section)
    return magics


def unload(shell: Any) -> None:
    """Take everything back that `load` registered, and give back what it displaced."""
    from ..local.launch import arrange
    from ..recording import record
    from ..views.answer import control_channel
    from .deepseek import DeepSeekMagics
    from .protect import protect_cells, protect_questions

    magics = DeepSeekMagics.of(shell)
    if magics is None:
        return
    manager = shell.magics_manager
    for kind, names in magics.displaced.items():
        for name, displaced in names.items():
            if displaced is None:
                manager.magics[kind].pop(name, None)
            else:
                manager.magics[kind][name] = displaced
    del manager.registry[type(magics).__name__]
    shell.configurables.remove(magics)
    shell.events.unregister("pre_run_cell", magics.before_cell)
    shell.events.unregister("post_run_cell", magics.after_cell)
    shell.events.unregister("post_run_cell", magics.thrift.happened)
    magics.thrift.stop()
    if magics.matcher in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(magics.matcher)
    if (pages := _comms(shell)) is not None and BRANCHES in pages.targets:
        pages.unregister_target(BRANCHES, _branching)
    for transformer in (protect_cells, magics.suggest, protect_questions):
        if transformer in shell.input_transformers_cleanup:
            shell.input_transformers_cleanup.remove(transformer)
    control_channel.leave()
    record()
    arrange()
