"""What a result or an error can do beyond holding its values: be shown, be explored, be branched.

They stand below the pictures of them. This is the one way up: they import it, and it imports what it leads
to when it is called, so that a plain script that only reads values loads no view.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api.recorded import Tape
    from .api.response import ChatCompletion
    from .branch import Branch as Branch
    from .branch import BranchTree as BranchTree
    from .logprobs.pictured import Pictured
    from .logprobs.rows import Token
    from .logprobs.table import LogprobTable
    from .logprobs.tempered_place import TemperedPlace
    from .teaching.guess.guess import Guess as Guess
    from .views.tokens.bars import Bars as Bars
    from .views.tokens.explorer.page import WrittenPage as WrittenPage
    from .views.tokens.explorer.widget import Explorer as Explorer
    from .views.tokens.slider.widget import TemperatureSlider as TemperatureSlider


def error_shown(error: Exception) -> list[str]:
    """An error as the lines of a panel."""
    from .views.panel import has_magics, panel

    return panel(error, is_explained=has_magics())


def completion_shown(completion: ChatCompletion) -> dict[str, Any]:
    """A completion as `text/html`, `text/plain` and, with probabilities, what a page explores."""
    from .views.answer.static import alive, mimebundle

    return alive(completion, mimebundle(completion))[0]


def completion_explored(completion: ChatCompletion) -> Explorer:
    """The explorer over a completion, in which alternatives can be continued."""
    from .branch import explorer

    return explorer(completion)


def completion_written(completion: ChatCompletion, path: str | Path | None) -> WrittenPage:
    """The explorer over a completion as a file."""
    from .branch import export

    return export(completion, path)


def completion_guessed(completion: ChatCompletion, vote: bool) -> Guess:
    """The words of a completion, hidden, to be guessed or voted on."""
    from .teaching.guess.guess import Guess

    return Guess(completion, vote=vote)


def completion_as_cell(completion: ChatCompletion) -> str:
    """The text of a cell that asks what a completion was asked; of one that called functions, what was asked first."""
    from .magics.cell_text import asking

    return asking(completion)


def forked(
    completion: ChatCompletion, token: str | int, instead: str | None, rank: int | None, fields: dict[str, Any]
) -> ChatCompletion:
    """A completion continued from one of its tokens, with another in its place."""
    from .branch import fork

    return fork(completion, token, instead, rank=rank, **fields)


def branches_shown(completion: ChatCompletion) -> BranchTree:
    """A completion and all that branched off it."""
    from .branch import tree

    return tree(completion)


def branch_of(fields: dict[str, Any]) -> Branch:
    """A branch's place in its tree, from its fields."""
    from .branch import Branch

    return Branch(**fields)


def round_of(completion: ChatCompletion, calls: list[dict[str, Any]]) -> Any:
    """A round of an answer that called functions, from its completion and the fields of its calls."""
    from .conversation.tools import Called, Round

    return Round(completion, [Called(**call) for call in calls])


def tape(journal: Any = None, cache: bool = False, replay: Any = None, speed: float | None = None) -> Tape:
    """What a client asks through that is given these."""
    if journal is None and replay is None and speed is None and not cache:
        from .api.recorded import DIRECT

        return DIRECT
    from .many.tape import tape_of

    return tape_of(journal, cache=cache, replay=replay, speed=speed)


def table_shown(table: LogprobTable) -> str:
    """A table as HTML."""
    from .views.tokens.tables import table_html

    return table_html(table)


def table_printed(table: LogprobTable) -> str:
    """The same as text."""
    from .views.tokens.tables_text import to_text

    return to_text(table)


def table_bars(table: LogprobTable, at: int | None) -> Bars:
    """The bars of a table's places, or of one."""
    from .views.tokens.bars import Bars

    return Bars.of(table, at)


def token_shown(token: Token) -> str:
    """What else could have stood in a token's place, as HTML."""
    from .views.tokens.bars import Bars

    return Bars([token])._repr_html_()


def token_printed(token: Token) -> str:
    """The same as text."""
    from .views.tokens.bars import Bars

    return Bars([token]).to_text()


def table_explored(table: LogprobTable) -> Explorer:
    """The explorer over a table alone."""
    from .views.tokens.explorer.widget import Explorer

    return Explorer(table)


def table_written(table: LogprobTable, path: str | Path | None) -> WrittenPage:
    """The explorer over a table as a file."""
    from .views.tokens.explorer.page import write_page

    return write_page(table, path)


def place_explored(place: TemperedPlace) -> TemperatureSlider:
    """A slider over a place."""
    from .views.tokens.slider.widget import TemperatureSlider

    return TemperatureSlider(place)


def object_shown(result: Pictured) -> str:
    """A comparison, a classification and their kin as HTML."""
    from .views.tokens.pictures import html

    return html(result)


def object_printed(result: Pictured) -> str:
    """The same as text."""
    from .views.tokens.pictures import text

    return text(result)
