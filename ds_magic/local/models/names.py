"""What a model on this machine is called: a GGUF file, `hf:owner/repo[/file]`, `ollama:name[:tag]`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...api.clean_text import on_one_line
from ..model_failures import WeightsError

VARIABLE = "DS_MAGIC_LOCAL_MODEL"
"""The variable of the environment that names the model where nothing else does."""
FORMS = (
    "Name a GGUF file, `hf:owner/repo` or `hf:owner/repo/file.gguf` (of the Hugging Face Hub; `@revision` may "
    "follow), or `ollama:name` (a model that Ollama has here). `ds-magic models` lists what is on this machine."
)
QUANTISATION = re.compile(
    r"(?:^|[.\-_])((?:ud-)?i?q\d[a-z0-9_]*|mxfp4[a-z0-9_]*|bf16|fp?16|fp?32)$", flags=re.IGNORECASE
)
"""How a model is quantised, at the end of its file's stem."""
_SPLIT = re.compile(r"-(\d{5})-of-(\d{5})$")
_PART = r"[A-Za-z0-9][\w.-]*"
_HUB = re.compile(rf"({_PART}/{_PART})(?:/([^@:]+)|:([\w.-]+))?(?:@(\w[\w./-]*))?")
_OLLAMA = re.compile(rf"(?:({_PART}(?::\d+)?)/)?(?:({_PART})/)?({_PART})(?::([\w.-]+))?")


@dataclass(frozen=True)
class HubName:
    """A repository of the hub, and a file in it, or a kind of quantisation, or neither; `revision` as it was asked."""

    repository: str
    file: str = ""
    quantisation: str = ""
    revision: str = ""

    def __str__(self) -> str:
        file = f"/{self.file}" if self.file else f":{self.quantisation}" if self.quantisation else ""
        return f"hf:{self.repository}{file}" + (f"@{self.revision}" if self.revision else "")

    @property
    def short(self) -> str:
        """As models are called in the API."""
        if self.file:
            return short_name(PurePosixPath(self.file).name)
        return short_name(re.sub("[-_.]gguf$", "", self.repository.split("/")[1], flags=re.IGNORECASE))


@dataclass(frozen=True)
class OllamaName:
    """A model of Ollama's: where it came from, whose it is, its name and its tag."""

    host: str
    owner: str
    name: str
    tag: str

    def __str__(self) -> str:
        where = "" if self.is_from_library else f"{self.owner}/" if self.host == "" else f"{self.host}/{self.owner}/"
        return f"ollama:{where}{self.name}" + (f":{self.tag}" if self.tag != "latest" else "")

    @property
    def is_from_library(self) -> bool:
        """Whether it is one of Ollama's own."""
        return self.host == "" and self.owner == "library"

    @property
    def short(self) -> str:
        """As models are called in the API."""
        return self.name.lower() + (f":{self.tag.lower()}" if self.tag != "latest" else "")


@dataclass(frozen=True)
class FileName:
    """A GGUF file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def short(self) -> str:
        """As models are called in the API."""
        return short_name(self.path.name)


Name = HubName | OllamaName | FileName


_preferred: str | None = None


def prefer(name: str | None) -> None:
    """Have this process mean the model `name` where nobody names one; None: that of the environment."""
    global _preferred
    _preferred = name


def asked(given: str | None = None) -> str:
    """The name of the model that is meant: given, else preferred, else of the environment; empty: the one of ours."""
    return (given or _preferred or os.environ.get(VARIABLE) or "").strip()


def parsed(text: str) -> Name:
    """What `text` names. Raises WeightsError where it is no name."""
    kind, colon, rest = text.partition(":")
    if colon and kind == "hf":
        if rest.isprintable() and (found := _HUB.fullmatch(rest)) and ".." not in re.split("[/@]", rest):
            return HubName(found[1], found[2] or "", found[3] or "", found[4] or "")
        raise _no_name(text)
    if colon and kind == "ollama":
        if not (found := _OLLAMA.fullmatch(rest)):
            raise _no_name(text)
        host, owner = found[1] or "", found[2] or ""
        if host and not owner and "." not in host and ":" not in host:  # somebody's name rather than a host's
            host, owner = "", host
        return OllamaName(host, owner or "library", found[3], found[4] or "latest")
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, RuntimeError):  # longer than any name, or the folder of a user that there is not
        raise _no_name(text) from None
    return FileName(path)


def short(text: str) -> str:
    """The name of an asked model as models are called in the API."""
    try:
        return parsed(text).short
    except WeightsError:
        return short_name(Path(text).name)


def key(text: str) -> str:
    """What is the same for two names that mean the same, whatever folder one stands in."""
    try:
        name = parsed(text)
    except WeightsError:
        return text
    return str(name.path.absolute()) if isinstance(name, FileName) else str(name)


def short_name(file: str) -> str:
    """A file's name without its end and its kind of quantisation: "smollm2-135m-instruct"."""
    stem = re.sub(r"\.gguf$", "", file, flags=re.IGNORECASE)
    stem = QUANTISATION.sub("", _SPLIT.sub("", stem))
    return re.sub(r"[^\w.:-]+", "-", stem.lower()).strip("-.") or "local"


def quantisation(file: str) -> str:
    """How the model in a file of this name is quantised, as far as the name says so; else empty."""
    found = QUANTISATION.search(_SPLIT.sub("", re.sub(r"\.gguf$", "", file, flags=re.IGNORECASE)))
    return found[1] if found else ""


def parts_of(file: str) -> Iterator[str]:
    """The names of all files of a model whose first, or only, one is called `file`."""
    stem = file.removesuffix(".gguf")
    found = _SPLIT.search(stem)
    if found is None:
        yield file
        return
    for number in range(1, int(found[2]) + 1):
        yield f"{stem[: found.start()]}-{number:05}-of-{found[2]}.gguf"


def _no_name(text: str) -> WeightsError:
    return WeightsError(f"`{on_one_line(text, 120)}` names no model.", remedy=FORMS)
