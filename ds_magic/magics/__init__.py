"""The notebook surface: what `%load_ext ds_magic` registers, and takes back on unload."""

from __future__ import annotations

from typing import Any


def load(shell: Any) -> None:
    """Register the magics and the input transformer with `shell`; nothing where they are already."""
    from .deepseek import DeepSeekMagics
    from .protect import protect_questions

    if DeepSeekMagics.of(shell) is not None:
        return
    magics = DeepSeekMagics(shell=shell)
    magics.displaced = {
        kind: {name: shell.magics_manager.magics[kind].get(name) for name in names}
        for kind, names in magics.magics.items()
    }
    shell.magics_manager.register(magics)
    shell.input_transformers_cleanup.append(protect_questions)


def unload(shell: Any) -> None:
    """Take everything back that `load` registered, and give back what it displaced."""
    from .deepseek import DeepSeekMagics
    from .protect import protect_questions

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
    if protect_questions in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(protect_questions)
