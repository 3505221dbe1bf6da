"""What a table cannot give: in a notebook it is said as shortly as an error of a magic."""

from __future__ import annotations

from .. import conveniences

ASK = "Ask for them with `-l`, or in Python with `top_logprobs=20`."


class NotGivenError(ValueError):
    """Something was asked for that is not there, or that there is no such thing as. `remedy`: what to do next."""

    def __init__(self, message: str, remedy: str):
        super().__init__(f"{message} {remedy}")
        self.message, self.remedy = message, remedy

    def _render_traceback_(self, *_: object) -> list[str]:
        return conveniences.error_shown(self)


class NoSuchNameError(NotGivenError, KeyError):
    """There is nothing of this name."""

    def __init__(self, name: object, known: list[str], what: str):
        listed = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
        super().__init__(f"There is no {what} {name!r:.60}.", f"There are {listed}." if known else "There are none.")

    def __str__(self) -> str:
        return str(self.args[0])
