"""DeepSeekMagics: `%%deepseek` and its companions, and their defaults for `%config`."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from traitlets import Bool, Dict, Enum, Float, Int, Unicode, observe

from ..api.errors import InvalidRequestError
from ..api.fields import FIELDS
from ..views.size import SIZES, set_explorable, set_size
from .guarded import guarded, is_panel, traceback_text
from .help import page
from .line import parse
from .results import Results, Seat
from .server_meant import RECORDING, ServerMeant
from .settings import setting, traits_of

if TYPE_CHECKING:
    from ..api.balance import Balance
    from ..api.response import ChatCompletion
    from ..conversation.chats import Chat
    from ..conversation.turn import Turn
    from ..local.thrift import Thrift
    from ..many.answers import Answers
    from ..teaching.playground.widget import Playground
    from ..views.tokens.explorer.page import WrittenPage
    from .background import Background
    from .cell_order import CellOrder
    from .completer import Matcher
    from .dry_run import DryRun
    from .listings import ChatList, ModelList
    from .usage_report import UsageReport


@magics_class
class DeepSeekMagics(Magics):
    """Defaults of %%deepseek. What is None is taken from the environment (DS_MAGIC_MODEL, …), then from us."""

    vars().update(traits_of(FIELDS))
    system = Unicode(
        None, allow_none=True, help="Instructions for the model, as --system; a cell's own @system replaces them."
    ).tag(config=True)
    view = Enum(
        ["live", "static", "text", "none"],
        default_value=None,
        allow_none=True,
        help="How answers are shown: live where a Jupyter server started the kernel, static in other kernels, "
        "text in a terminal; none shows nothing.",
    ).tag(config=True)
    size = Enum(
        SIZES,
        default_value=None,
        allow_none=True,
        help="How large answers and probabilities are drawn: normal, or for a projector: half as large again, with "
        "stronger tints and without small print.",
    ).tag(config=True)
    explorable = Int(
        None,
        allow_none=True,
        min=0,
        help="Up to how many characters an output holds its token probabilities, so that JupyterLab and Notebook can "
        "explore it without a kernel: a token with 20 alternatives takes 190. 0 for none.",
    ).tag(config=True)
    base_url = Unicode(None, allow_none=True, help="The server's address, as --base-url.").tag(config=True)
    timeout = Float(None, allow_none=True, min=0.001, help="Seconds for a whole answer, as --timeout.").tag(config=True)
    journal = Unicode(None, allow_none=True, help="Where exchanges are recorded, as --journal.").tag(config=True)
    cache = Bool(None, allow_none=True, help="Do not ask again what is in the journal, as --cache.").tag(config=True)
    replay = Unicode(None, allow_none=True, help="A recording that answers, as --replay.").tag(config=True)
    speed = Float(None, allow_none=True, min=0, help="How fast it is replayed, as --speed.").tag(config=True)
    local = Bool(None, allow_none=True, help="Answer with the model on this machine, as --local.").tag(config=True)
    local_model = Unicode(None, allow_none=True, help="Which model that is, as --local-model.").tag(config=True)
    keep = Int(None, allow_none=True, min=1, help="Seconds that a model stays in memory unused.").tag(config=True)

    prices = Dict(
        help="Your prices for a million tokens, for %ds_usage: "
        '{"deepseek-flash": {"input": 0.5, "cached": 0.1, "output": 1.5}}, in whatever currency.',
    ).tag(config=True)

    configured: Mapping[str, Any] = {}
    displaced: Mapping[str, Mapping[str, Any]] = {}
    matcher: Matcher | None = None
    suggest: Callable[[list[str]], list[str]] | None = None
    thrift: Thrift

    @classmethod
    def of(cls, shell: Any) -> DeepSeekMagics | None:
        """The magics that are registered with `shell`, or None."""
        registered: DeepSeekMagics | None = shell.magics_manager.registry.get(cls.__name__)
        return registered

    def __init__(self, shell: Any = None, **kwargs: Any):
        super().__init__(shell, **kwargs)
        self._cell: str | None = None
        self._run = 0
        self.begin()

    def begin(self) -> None:
        """Hold nothing yet."""
        self.why = ""
        self.chats: dict[str, Chat] = {}
        self.results = Results()
        self._turns: Counter[str] = Counter()

    @observe("size")
    def _resize(self, change: Any) -> None:
        set_size(change["new"] or "normal")

    @observe("journal", "cache", "replay", "speed", "local_model", "keep")
    def _arrange(self, change: Any) -> None:
        from ..local.launch import arrange
        from ..recording import record

        record(journal=self.journal, cache=self.cache, replay=self.replay, speed=self.speed)
        arrange(model=self.local_model, keep=self.keep)

    @observe("explorable")
    def _limit_output(self, change: Any) -> None:
        set_explorable(change["new"])

    def _draw_as_set(self) -> None:
        """Have `%config` or the environment say how large what is seen is drawn, and how much of it is held."""
        set_size(setting(self, "size") or "normal")
        set_explorable(setting(self, "explorable"))

    @line_cell_magic
    @needs_local_scope
    @no_var_expand
    @guarded
    def deepseek(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> ChatCompletion | Background | DryRun | Answers | Playground | None:
        from .keys_in_cells import refuse_keys

        refuse_keys(line, cell or "")
        parsed = parse(line)
        text = parsed.prompt if cell is None else "\n".join(filter(None, [parsed.prompt, cell]))
        from .prompt import Filler
        from .question import is_hidden, shown_to, turn_of

        namespace = ChainMap(local_ns or {}, self.user_ns)
        self._draw_as_set()
        if any(given.is_of_several for given in parsed.given):
            from .several import Several

            answers = Several(self, text, parsed, namespace).answered()
            return answers if cell is None else None
        fill = Filler(namespace)
        values = parsed.values(fill)
        server = ServerMeant(self, values)
        use = server.schema_use()
        if values.get("dry_run"):
            from .dry_run import MARKS, DryRun, show

            marked = Filler(namespace, MARKS)
            values |= parsed.values(fill, marked)
            turn = turn_of(self, text, values, marked, namespace, use=use, notes=parsed.notes)
            dry = DryRun(turn.request, server.base_url, server.is_embedded, turn.notes, server.local_model)
            show(dry)
            return dry if cell is None else None
        turn = turn_of(self, text, values, fill, namespace, use=use, notes=parsed.notes)
        if values.get("playground"):
            return self._playground(turn, values)
        client, shown = server.client(), shown_to(self, turn, values)
        self._begin(turn, values, namespace)
        if values.get("bg"):
            from .background import in_background

            return in_background(turn, client, shown, values)
        completion = turn.answer(client, shown)
        if values.get("explore") and completion.logprobs:
            shown.explore(completion)
        return completion if cell is None and not is_hidden(values) else None

    def _begin(self, turn: Turn, values: Mapping[str, Any], namespace: Mapping[str, Any]) -> None:
        """The turn is about to be asked: its place in the cell is taken, and its chat is one of the kernel's."""
        if turn.chat is not None:
            self._turns[turn.chat.name] += 1
            if namespace.get(values["chat"]) is not turn.chat:
                self.chats.setdefault(turn.chat.name, turn.chat)

    def _playground(self, turn: Turn, values: dict[str, Any]) -> Playground:
        from ..teaching.playground.widget import Playground

        view = "none" if values.get("quiet") else setting(self, "view")
        options = {name: values[name] for name in (*RECORDING, "timeout", "output") if name in values}
        return Playground(turn, ServerMeant(self, values).client, view=view, options=options)

    @line_magic
    @no_var_expand
    @guarded
    def ds_login(self, line: str) -> None:
        """Give an API key without showing it; it is kept for this kernel only. `--forget` forgets it."""
        from . import login

        said, line = line.partition("#")[0].strip(), ""
        if said == login.FORGET:
            return login.forget()
        if said:
            said = ""
            raise login.on_the_line()
        login.log_in()

    @line_magic
    @no_var_expand
    @guarded
    def ds_models(self, line: str) -> ModelList:
        """List the models that the server offers. Takes --local, --base-url and --timeout."""
        from .keys_in_cells import refuse_keys
        from .listings import ModelList

        refuse_keys(line)
        server = ServerMeant(self, parse(line).values())
        client = server.client()
        return ModelList(client.models(), client.name, with_local=server.is_embedded)

    @line_magic
    @no_var_expand
    @guarded
    def ds_chats(self, line: str) -> ChatList | Chat:
        """List the kernel's conversations; `%ds_chats NAME` gives one of them."""
        from .listings import ChatList

        chats, name = ChatList(self.chats), line.strip()
        for chat in self.chats.values():
            chat.arrange(self.cells.ids())
        if not name:
            return chats
        if name in chats:
            return chats[name]
        raise InvalidRequestError(
            f"There is no conversation `{name}`.",
            remedy=f"There are: {', '.join(chats)}." if chats else f"Begin one with `%%deepseek --chat {name}`.",
        )

    @line_magic
    @no_var_expand
    @guarded
    def ds_usage(self, line: str) -> UsageReport | None:
        """The tokens of this kernel by model, whatever asked, with cost where prices are set; `--reset` begins anew."""
        from ..api.spent import SPENT
        from .balance_asked import balance_line
        from .usage_report import UsageReport

        asked = line.strip()
        if asked == "--reset":
            SPENT.clear()
            return None
        if asked:
            raise InvalidRequestError("`%ds_usage` takes nothing, or `--reset`.", remedy="Leave the rest out.")
        return UsageReport(dict(SPENT.sums), self.prices, balance_line(self))

    @line_magic
    @no_var_expand
    @guarded
    def ds_balance(self, line: str) -> Balance:
        """What is left on the key's account, asked for once: `%ds_balance [--base-url URL] [--timeout SECONDS]`."""
        from .balance_asked import balance_asked

        return balance_asked(self, parse(line).values())

    @line_magic
    @no_var_expand
    @guarded
    def ds_share(self, line: str) -> WrittenPage:
        """Write a result, or all that cells answered, as one page: `%ds_share [NAME] [FILE.html]`; or `--notebook`."""
        from .sharing import share_line

        return share_line(self, line)

    @line_magic
    @no_var_expand
    @guarded
    def ds_reset(self, line: str) -> None:
        """Set chats, usage, defaults, variables and views of ours back to how they were when this was loaded."""
        from ..teaching.reset import reset
        from .background import running

        if line.strip():
            raise InvalidRequestError("`%ds_reset` takes nothing.", remedy="Leave the rest out.")
        print(reset(self, running()))
        self._draw_as_set()

    @line_magic
    @no_var_expand
    @guarded
    def ds_help(self, line: str) -> None:
        """Explain a topic or an option: `%ds_help tools`, `%ds_help --stop`."""
        from .help import about

        print(about(line.strip()))

    @line_magic
    @no_var_expand
    def ds_why(self, line: str) -> None:
        """Show the traceback of the last error."""
        print(self.why or "Nothing has failed yet.")

    @cached_property
    def cells(self) -> CellOrder:
        """The order of the notebook's cells."""
        from .cell_order import CellOrder

        return CellOrder()

    @property
    def user_ns(self) -> dict[str, Any]:
        """The user's variables."""
        return self.shell.user_ns if self.shell is not None else {}

    def before_cell(self, info: Any) -> None:
        """Take note of which cell runs: its id where the frontend sends one, else its text."""
        text = getattr(info, "raw_cell", None) or ""
        self._cell = getattr(info, "cell_id", None) or _digest(text)
        self._run += 1
        self._turns.clear()

    def seat(self) -> Seat:
        """The place of the next result of the cell that runs."""
        return self.results.seat(self._cell or "", self._run)

    def after_cell(self, result: Any) -> None:
        """Keep the traceback of an error of ours that a cell raised outside of the magics."""
        error = result.error_before_exec or result.error_in_exec
        if hasattr(type(error), "_render_traceback_") and hasattr(error, "remedy") and not is_panel(error):
            self.why = traceback_text(error)

    def turn_in(self, chat: str, text: str) -> str:
        """What tells this turn of a conversation from others: its cell, and which of the cell's it is."""
        cell, before = self._cell or _digest(text), self._turns[chat]
        return f"{cell}#{before + 1}" if before else cell


DeepSeekMagics.deepseek.__doc__ = page()


def _digest(text: str) -> str:
    return sha256(text.strip().encode("utf-8", "surrogatepass")).hexdigest()[:16]
