"""Which server the options of a line mean, with `%config` and the environment behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..api.addresses import EMBEDDED, base_url_of, given_url, is_deepseek
from ..api.errors import InvalidRequestError
from .settings import setting

if TYPE_CHECKING:
    from ..api.client import Client
    from ..conversation.answer_schema import SchemaUse

RECORDING = ("journal", "cache", "replay", "speed")


class ServerMeant:
    """The server that options' `values` mean."""

    def __init__(self, magics: Any, values: Mapping[str, Any]) -> None:
        self._magics, self._values = magics, values
        self._recording = {name: values[name] for name in RECORDING if name in values}

    @property
    def base_url(self) -> str | None:
        """Its address, where one is given."""
        return given_url(self._values.get("base_url") or setting(self._magics, "base_url"))

    @property
    def is_embedded(self) -> bool:
        """Whether the embedded server answers; told without starting it."""
        from ..backend import current_key

        local = self._local
        return not (self.base_url or current_key()) if local is None else local

    def client(self) -> Client:
        """Its client; the embedded server is started for it."""
        from ..backend import resolve

        return resolve(
            local=self._local,
            local_model=self._values.get("local_model"),
            base_url=self._values.get("base_url") or setting(self._magics, "base_url"),
            timeout=self._values.get("timeout", setting(self._magics, "timeout")),
            **self._recording,
        )

    def schema_use(self) -> SchemaUse | None:
        """How it is told of a schema; None where there is none."""
        if "schema" not in self._values and "json" not in self._values:
            return None
        from ..conversation.answer_schema import SchemaUse
        from ..recording import recording_meant

        if "replay" in recording_meant(**self._recording):
            client = self.client()
            return SchemaUse.at(is_embedded=client.server == EMBEDDED, is_deepseek=client.is_deepseek)
        return SchemaUse.at(is_embedded=self.is_embedded, is_deepseek=is_deepseek(base_url_of(self.base_url)))

    @property
    def local_model(self) -> str | None:
        """How the model on this machine is named that answers where one does; None where nobody named any."""
        from ..local.models.names import asked

        return asked(self._values.get("local_model")) or None

    @property
    def _local(self) -> bool | None:
        """Whether the model on this machine is to answer; None where nobody said."""
        if "local_model" in self._values:
            self._check_alone()
            return True
        by_default = setting(self._magics, "local") and "base_url" not in self._values
        local: bool | None = self._values.get("local", True if by_default else None)
        return local

    def _check_alone(self) -> None:
        """Raise InvalidRequestError where the line names a model on this machine, and somebody else to answer."""
        elsewhere = "--base-url" if self._values.get("base_url") else "--no-local"
        if self._values.get("base_url") or not self._values.get("local", True):
            raise InvalidRequestError(
                f"`--local-model` has a model on this machine answer, and `{elsewhere}` another server.",
                field="local_model", remedy="Leave out one of them.",
            )
