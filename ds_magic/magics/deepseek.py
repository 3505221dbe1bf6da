"""DeepSeekMagics: `%%deepseek` and its companions, and their defaults for `%config`."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from traitlets import Bool, Enum, Float, Integer, Unicode

from ..api.errors import InvalidRequestError
from .options import STREAMED, help_text, parse, request_fields
from .panel import guarded
from .settings import setting

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.request import ChatRequest
    from ..api.response import ChatCompletion
    from .background import Background

RESULT = "_ds"
"""The variable that every result is bound to."""


@magics_class
class DeepSeekMagics(Magics):
    """Defaults of %%deepseek. What is None is taken from the environment (DS_MAGIC_MODEL, …), then from us."""

    model = Unicode(None, allow_none=True, help="The model that answers, as --model.").tag(config=True)
    temperature = Float(None, allow_none=True, min=0, max=2, help="From 0 to 2, as --temperature.").tag(config=True)
    max_tokens = Integer(None, allow_none=True, min=1, help="The longest answer in tokens, as --max-tokens.").tag(
        config=True
    )
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
    base_url = Unicode(None, allow_none=True, help="The server's address, as --base-url.").tag(config=True)
    timeout = Float(None, allow_none=True, min=0, help="Seconds for a whole answer, as --timeout.").tag(config=True)
    local = Bool(None, allow_none=True, help="Answer with the model on this machine, as --local.").tag(config=True)

    why: str = ""
    displaced: Mapping[str, Mapping[str, Any]] = {}

    @classmethod
    def of(cls, shell: Any) -> DeepSeekMagics | None:
        """The magics that are registered with `shell`, or None."""
        return shell.magics_manager.registry.get(cls.__name__)

    @line_cell_magic
    @needs_local_scope
    @no_var_expand
    @guarded
    def deepseek(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None):
        from .secrets import refuse_filled_keys, refuse_keys

        refuse_keys(line, cell or "")
        parsed = parse(line)
        from .prompt import Filler

        namespace = ChainMap(local_ns or {}, self.shell.user_ns)
        fill = Filler(namespace)
        values = parsed.values(fill)
        text = parsed.prompt if cell is None else "\n".join(filter(None, [parsed.prompt, cell]))
        request = self._request(text, values, fill, namespace)
        refuse_filled_keys(fill.filled)
        if values.get("dry_run"):
            return self._show_request(request)
        if values.get("bg"):
            return self._begin(self._client(values), request, values)
        completion = self._run(self._client(values), request, values)
        return completion if cell is None else None

    @line_magic
    @no_var_expand
    @guarded
    def ds_login(self, line: str):
        """Give an API key without showing it; it is kept for this kernel only. `--forget` forgets it."""
        import warnings
        from getpass import GetPassWarning, getpass

        from .. import backend

        said, line = line.strip(), ""
        if said == "--forget":
            backend.logout()
            print("The key is forgotten.")
            return
        if said:
            said = ""
            raise InvalidRequestError(
                "`%ds_login` takes no key on its line, where it would be kept: it now stands in the cell, in every "
                "saved copy of the notebook, and in IPython's history.",
                remedy="Delete it from the cell, revoke the key where you got it, then run `%ds_login` alone: it "
                "asks for the new one.",
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", GetPassWarning)
                key = getpass("API key (it is not shown): ")
        except (EOFError, NotImplementedError, RuntimeError, GetPassWarning):
            raise InvalidRequestError(
                "Nobody can be asked for a key here: this notebook runs without input.",
                remedy="Set DEEPSEEK_API_KEY in the environment before the kernel starts.",
            ) from None
        if not key.strip():
            print("No key was given; nothing has changed.")
            return
        backend.login(key)
        key = ""
        print("The key is kept in this kernel's memory until it ends, or until %ds_login --forget.")

    @line_magic
    @no_var_expand
    @guarded
    def ds_models(self, line: str):
        """List the models that the server offers. Takes --local, --base-url and --timeout."""
        from .secrets import refuse_keys

        refuse_keys(line)
        client = self._client(parse(line).values())
        return ModelList(client.models(), client.name)

    @line_magic
    @no_var_expand
    def ds_why(self, line: str):
        """Show the traceback of the last error."""
        print(self.why or "Nothing has failed yet.")

    def _request(self, text: str, values: dict[str, Any], fill: Any, namespace: Mapping[str, Any]) -> ChatRequest:
        """The request that a cell's text and options ask for."""
        from .prompt import has_system, messages_of

        if not text.strip() and values.get("prefix") is None:
            raise InvalidRequestError(
                "There is nothing to ask: the cell is empty.",
                remedy="Write the prompt below `%%deepseek`, or after the options of `%deepseek`.",
            )
        system = values.get("system")
        if system is None and not has_system(text):
            system = setting(self, "system")
        messages = messages_of(text, fill, system=system, prefix=values.get("prefix"))
        fields = {name: setting(self, name) for name in ("model", "temperature", "max_tokens")}
        fields |= STREAMED | request_fields(values)
        if fields["stream"] is False:
            fields.pop("stream_options")
        fields |= self._objects(values, namespace)
        from ..api.request import ChatRequest

        return ChatRequest.build(messages, **{name: value for name, value in fields.items() if value is not None})

    def _objects(self, values: dict[str, Any], namespace: Mapping[str, Any]) -> dict[str, Any]:
        """The request fields whose values are Python objects that options name."""
        from .objects import named_dictionary, named_tools

        fields = {}
        if "tools" in values:
            fields["tools"] = named_tools(values["tools"], namespace)
        if isinstance(values.get("extra"), str):
            fields["extra"] = named_dictionary(values["extra"], namespace)
        return fields

    def _client(self, values: dict[str, Any]) -> Client:
        """The client of the server that the options, `%config` and the environment mean."""
        from ..backend import resolve

        base_url = values.get("base_url")
        local = values.get("local")
        if local is None:
            local = bool(setting(self, "local")) and base_url is None
        timeout = values.get("timeout", setting(self, "timeout"))
        return resolve(local=local, base_url=base_url or setting(self, "base_url"), timeout=timeout)

    def _run(self, client: Client, request: ChatRequest, values: dict[str, Any]) -> ChatCompletion:
        from ..run import run

        return run(client, request, self._sinks(values))

    def _begin(self, client: Client, request: ChatRequest, values: dict[str, Any]) -> Background:
        from .background import Background

        handle = Background(client, request)
        return handle.begin(self._sinks(values, on_stop=handle.stop))

    def _sinks(self, values: dict[str, Any], on_stop: Callable[[], None] | None = None) -> list[Any]:
        """Where an answer goes; `on_stop` ends one in the background."""
        sinks: list[Any] = [Binding(self.shell, values.get("output"))]
        view = "none" if values.get("quiet") else setting(self, "view")
        if view != "none":
            from ..views import default_view, make_view

            sinks.append(make_view(view or default_view(), on_stop=on_stop))
        return sinks

    def _show_request(self, request: ChatRequest) -> None:
        import json

        prepared = request.prepared()
        print(json.dumps(prepared.request.to_wire(), ensure_ascii=False, indent=2))
        for note in prepared.notes:
            print(f"# {note}")


DeepSeekMagics.deepseek.__doc__ = help_text()


class Binding:
    """The sink that binds a result to variables; nothing where nothing arrived."""

    def __init__(self, shell: Any, name: str | None):
        self.shell = shell
        self.name = name

    def start(self, request: Any, backend: str) -> None:
        pass

    def event(self, event: Any) -> None:
        pass

    def delta(self, delta: Any) -> None:
        pass

    def finish(self, completion: ChatCompletion | None, error: Exception | None) -> None:
        if completion is None or (completion.interrupted and completion.is_empty):
            return
        self.shell.push({RESULT: completion}, interactive=False)
        if self.name:
            self.shell.push({self.name: completion})


class ModelList(list):
    """The models of a server, shown one a line."""

    def __init__(self, models: list[Any], backend: str):
        super().__init__(models)
        self.backend = backend

    def __repr__(self) -> str:
        from .panel import plain

        names = [plain(str(model)) for model in self]
        return "\n".join([f"{self.backend} offers:", *(f"  {name}" for name in names or ["(nothing)"])])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))
