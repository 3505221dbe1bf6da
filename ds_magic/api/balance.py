"""What is left on an account: `GET /user/balance`."""

from __future__ import annotations

from collections.abc import Callable

from .addresses import place
from .body import collected
from .clean_text import for_report, on_one_line
from .errors import InvalidRequestError
from .events import Event
from .lenient import Incoming, Lenient, Objects, Text
from .recorded import Unopened

_MOST = 12
"""Currencies that are shown."""


class BalanceInfo(Incoming):
    """What is left in one currency. Amounts are texts, as the server writes them; the total is of the other two."""

    currency: Text = ""
    total_balance: Text = ""
    granted_balance: Text = ""
    topped_up_balance: Text = ""

    def __str__(self) -> str:
        said = f"{self.total_balance or '?'} {self.currency}".strip()
        parts = [(self.granted_balance, "granted"), (self.topped_up_balance, "topped up")]
        named = ", ".join(f"{amount} {name}" for amount, name in parts if amount)
        return on_one_line(for_report(f"{said} ({named})" if named else said), 120)


class Balance(Incoming):
    """What is left on the account of a key. `is_available`: whether it is enough for a request; None: not said."""

    is_available: Lenient[bool] = None
    balance_infos: Objects[BalanceInfo] = []

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """What it says, a line for each currency; of very many the first."""
        lines = [str(each) for each in self.balance_infos[:_MOST]] or ["The server names no amount."]
        if (more := len(self.balance_infos) - _MOST) > 0:
            lines.append(f"… {more:,} more")
        return [*lines, *(["It is not enough for a request."] if self.is_available is False else [])]

    __str__ = __repr__

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(repr(self))  # type: ignore[attr-defined]


def balance_told(exchange: Unopened, on_event: Callable[[Event], None]) -> Balance:
    """What a server says that `exchange` asks. Raises a DeepSeekError, of a server that tells of none, too."""
    try:
        exchange.open()
    except InvalidRequestError as error:
        if error.status is None:  # nobody was asked
            raise
        refused = InvalidRequestError(
            f"{place(exchange.url)} tells of no balance.", status=error.status,
            remedy="DeepSeek does, at `GET /user/balance`; elsewhere look at its own pages.",
        )
    else:
        body, _ = collected(exchange, on_event)
        return Balance.model_validate(body)
    raise refused
