"""`ds-magic fetch`, `ds-magic models` and `ds-magic unload`."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ...api.clean_text import for_terminal, on_one_line
from .. import weights
from ..model_failures import LocalModelError
from ..progress import ProgressBar
from ..record import records
from . import names
from .footprint import check_size
from .listing import OURS, local_models
from .obtain import obtained


def run(command: str, name: str) -> int:
    """Run the program of this name; returns its exit status."""
    programs: dict[str, Callable[[str], int]] = {"fetch": _fetch, "models": _models, "unload": _unload}
    return programs[command](name)


def _fetch(name: str) -> int:
    name = names.asked(name)
    bar = ProgressBar(sys.stderr, f"Fetching {on_one_line(name)}" if name else weights.FETCHING)
    try:
        file = obtained(name, bar, _room, is_new=True)
    except LocalModelError as error:
        print(for_terminal(f"ds-magic: {error} {error.remedy}"), file=sys.stderr)
        return 1
    print(for_terminal(f"The model is in {file.path}") + (f" (revision {file.revision})" if file.revision else ""))
    return 0


def _room(name: str, size: int, others: Any) -> None:
    from ..memory import allowed_memory

    check_size(name, size, allowed_memory(), others)


def _models(_: str) -> int:
    print(local_models())
    return 0


def _unload(name: str) -> int:
    """Ask each server of this user to let go of its model, or that of the model `name`."""
    wanted, status, ended = names.key(name) if name else "", 0, 0
    for record in records():
        told = record.read() or {}
        model = told.get("asked") or told.get("model") or ""
        if wanted and wanted not in (names.key(str(model)), told.get("model")):
            continue
        answer = _asked_to_unload(told)
        if answer is None:  # nobody there
            continue
        said = f"{on_one_line(str(told.get('asked') or OURS))}: {answer or 'its memory is free'}"
        print(said, file=sys.stderr if answer else sys.stdout)
        ended, status = ended + 1, status or bool(answer)
    if not ended:
        print(f"No kernel uses {on_one_line(name) if name else 'a model'} on this machine.")
    return int(status)


def _asked_to_unload(told: dict[str, Any]) -> str | None:
    """Empty where it lets go, else why it does not; None where no server is."""
    try:
        address = urlsplit(told["base_url"])
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        connection.request("POST", "/unload", headers={"Authorization": f"Bearer {told['api_key']}"})
        response = connection.getresponse()
        body = json.loads(response.read())
        return "" if response.status == 200 else str(body["error"]["message"])
    except (OSError, KeyError, TypeError, ValueError, http.client.HTTPException):
        return None
