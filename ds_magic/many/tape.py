"""Tapes: how a client asks through a journal. They record, answer from it what was asked before, or replay it alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..api.clean_text import heal_surrogates
from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.recorded import DIRECT, Question, Recorded, Source, Tape
from ..api.request import ChatRequest
from ..api.secret import holds_key
from .canonical import key_of
from .differences import change_shown, nearest_shown
from .entry import Ended, Entry, version
from .journal import Journal, journal_at
from .journal_errors import JournalError, UnknownRequestError
from .played import Pace, Played, failure_of, raised
from .taken_down import TakenDown

MOST_COMPARED = 32
"""Unknown requests in a row that are compared with the recorded ones: a whole batch of them differs in the same way."""

Ask = Callable[[], tuple[Source, ChatRequest]]
Adopt = Callable[[Source], None]


class RecordingTape:
    """Writes each exchange into a journal. With `cache`, what was asked before is not asked again.

    Before means: the same request of the same server with the same sample's number, and whole.
    """

    server: str | None = None

    def __init__(self, journal: Journal, *, cache: bool = False, sample: int = 0):
        self.journal = journal
        self.cache = cache
        self.sample = sample

    def of_sample(self, number: int) -> RecordingTape:
        """See `api.recorded.Tape`."""
        return self if number == self.sample else RecordingTape(self.journal, cache=self.cache, sample=number)

    def held(self) -> AbstractContextManager[object]:
        """See `api.recorded.Tape`. Raises JournalInUseError where another process has it."""
        return self.journal.writing()

    def key(self, question: Question) -> str:
        """The key of what is asked."""
        return key_of(question.wire, question.server, self.sample)

    def changed_since(self, questions: Sequence[Question]) -> str | None:
        """See `api.recorded.Tape`."""
        if not (self.cache and questions) or any(self.journal.holds(self.key(each)) for each in questions):
            return None
        return change_shown(self.journal, questions[0].wire, self.sample)

    def recalling(self, question: Question) -> RecalledTape | None:
        """See `api.recorded.Tape`."""
        known = self._known(question)
        return None if known is None else RecalledTape(known, self.journal.warnings())

    def _known(self, question: Question) -> Entry | None:
        """What came when the same was asked before, if that spares asking again."""
        if not self.cache:
            return None
        return self.journal.find(self.key(question), is_whole=True, model=question.model)

    def open(
        self, question: Question, ask: Ask, adopt: Adopt, notes: list[str]
    ) -> tuple[Source, ChatRequest]:
        """See `api.recorded.Tape`."""
        body = json.dumps(question.wire, ensure_ascii=False)
        if holds_key(body, question.key):
            body = ""
            raise InvalidRequestError(
                "The request holds an API key, which would be recorded: nothing was sent.",
                remedy="A key is never part of a request. Give it to `%ds_login`, or in DEEPSEEK_API_KEY.",
            )
        self.journal.acquire()
        is_held = True
        try:
            for warning in self.journal.warnings():
                question.tell(warning)
            known = self._known(question)
            if known is not None:
                return _played(known, question, adopt, Pace(0), is_replay=False)
            blank = _Blank(question, self.key(question), self.sample, body, notes)
            taken = TakenDown(blank.asked(ask, self.journal), question, blank, self.journal)
            is_held = False
            adopt(taken)
            return taken, blank.sent
        finally:
            if is_held:
                self.journal.release()


class _Blank:
    """An entry of a question, but for its answer; once it was asked, with what came of that."""

    def __init__(self, question: Question, key: str, sample: int, body: str, notes: list[str]):
        self._question = question
        self._key = key
        self._sample = sample
        self._body = body
        self._notes = notes
        self._said_before = len(notes)
        self.sent = question.request

    def asked(self, ask: Ask, journal: Journal) -> Source:
        """What the server answers. Where it refuses, or cannot be reached, that is written, and raised."""
        try:
            source, self.sent = ask()
        except DeepSeekError as error:
            self._write_failure(error, journal)
            raise
        return source

    def _write_failure(self, error: DeepSeekError, journal: Journal) -> None:
        try:
            journal.append(self("failed", 0, error=failure_of(error, self._question.masked)))
            journal.sync()
        except JournalError as unwritten:
            error.remedy = f"{error.remedy} Nor was that recorded: {unwritten.message}"

    def __call__(self, ended: Ended, ms: int, **answer: Any) -> Entry:
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        notes = [heal_surrogates(note) for note in self._notes[self._said_before :]]
        return Entry(
            self._key, ended, self._question.server, heal_surrogates(self.sent.model), self._sample, at, ms,
            msgspec.Raw(self._body.encode("utf-8")), notes=notes or None, ds_magic=version(), **answer,
        )


class RecalledTape:
    """Answers the one question that an entry is of, at once. The entry is all it needs: no file, and no server."""

    server: str | None = None

    def __init__(self, entry: Entry, warnings: list[str]):
        self._entry = entry
        self._warnings = warnings

    @property
    def recorded(self) -> Recorded:
        """When it was asked."""
        return Recorded(self._entry.backend, self._entry.model, self._entry.at, is_replay=False)

    def of_sample(self, number: int) -> RecalledTape:
        """See `api.recorded.Tape`: it is of one."""
        return self

    def held(self) -> AbstractContextManager[object]:
        """See `api.recorded.Tape`: nobody writes."""
        return nullcontext()

    def changed_since(self, questions: Sequence[Question]) -> str | None:
        """See `api.recorded.Tape`: nothing has."""
        return None

    def recalling(self, question: Question) -> RecalledTape:
        """See `api.recorded.Tape`."""
        return self

    def open(
        self, question: Question, ask: Ask, adopt: Adopt, notes: list[str]
    ) -> tuple[Source, ChatRequest]:
        """See `api.recorded.Tape`."""
        for warning in self._warnings:
            question.tell(warning)
        return _played(self._entry, question, adopt, Pace(0), is_replay=False)


class ReplayTape:
    """Answers from a journal alone, at the pace of the recording times `speed`; 0 is at once.

    Of several answers to the same request the last whole one is played, else the last that was stopped or failed.
    """

    def __init__(self, journal: Journal, pace: Pace, *, sample: int = 0):
        self.journal = journal
        self.pace = pace
        self.sample = sample
        self._unknown = _InARow()

    def of_sample(self, number: int) -> ReplayTape:
        """See `api.recorded.Tape`."""
        if number == self.sample:
            return self
        other = copy(self)
        other.sample = number
        return other

    def held(self) -> AbstractContextManager[object]:
        """See `api.recorded.Tape`: nobody writes."""
        return nullcontext()

    @property
    def server(self) -> str | None:
        """The server that answered last."""
        return next(reversed(self.journal.backends), "")

    def changed_since(self, questions: Sequence[Question]) -> str | None:
        """See `api.recorded.Tape`: what is not known is an error."""
        return None

    def recalling(self, question: Question) -> RecalledTape | None:
        """See `api.recorded.Tape`: what is replayed has its pace."""
        return None

    def open(
        self, question: Question, ask: Ask, adopt: Adopt, notes: list[str]
    ) -> tuple[Source, ChatRequest]:
        """See `api.recorded.Tape`. Raises UnknownRequestError, with the nearest that was recorded."""
        for server in reversed(self.journal.backends):
            entry = self._recorded(question.wire, server)
            if entry is not None:
                self._unknown.n = 0
                for warning in self.journal.warnings():
                    question.tell(warning)
                return _played(entry, question, adopt, self.pace, is_replay=True)
        self._unknown.n += 1
        if self._unknown.n > MOST_COMPARED:
            raise UnknownRequestError(
                f"{self.journal.path.name} has no answer to this, nor to the {MOST_COMPARED} requests before it, whose "
                "errors say what differs."
            )
        raise UnknownRequestError(nearest_shown(self.journal, question.wire, self.sample))

    def _recorded(self, wire: dict[str, Any], server: str) -> Entry | None:
        """What a server answered; also where its own choice was the model that is named now, as a branch names it."""
        found = self.journal.find(key_of(wire, server, self.sample))
        if found is not None or "model" not in wire:
            return found
        unnamed = {name: value for name, value in wire.items() if name != "model"}
        return self.journal.find(key_of(unnamed, server, self.sample), model=wire["model"])


class _InARow:
    """How many requests one after another were not known, to all samples' tapes together."""

    n = 0


def _played(
    entry: Entry, question: Question, adopt: Adopt, pace: Pace, *, is_replay: bool
) -> tuple[Source, ChatRequest]:
    """The answer of an entry, begun, and the request as it was sent then."""
    played = Played(entry, question.url, Recorded(entry.backend, entry.model, entry.at, is_replay), pace)
    adopt(played)
    for note in entry.notes or ():
        question.tell(note)
    if entry.error is not None and not entry.deltas and not entry.body_bytes():
        raise raised(entry.error)
    request = question.request
    if entry.model is not None and entry.model != request.model:
        request = request.model_copy(update={"model": entry.model})
    return played, request.suited_to_model().request


def tape_of(
    journal: Any = None, *, cache: bool = False, replay: Any = None, speed: float | None = None
) -> Tape:
    """The tape that these options mean. Raises InvalidRequestError where they contradict each other."""
    if replay is not None and (journal is not None or cache):
        raise InvalidRequestError(
            "A replay asks nobody, so that there is nothing to record or to spare.",
            remedy="Give `replay` alone, or `journal` with `cache` to ask what is not known yet.",
        )
    if speed is not None and (replay is None or not speed >= 0):
        raise InvalidRequestError(
            f"`speed` is {speed!r}, and is for `replay`: 2 is twice as fast as it came, 0 at once.",
            field="speed", value=speed, limit="0 or more",
        )
    if replay is not None:
        found = journal_at(replay)
        found.refresh()
        return ReplayTape(found, Pace(1.0 if speed is None else speed))
    if journal is not None:
        return RecordingTape(journal_at(journal), cache=cache)
    if cache:
        raise InvalidRequestError(
            "`cache` does not say where what was asked before is kept.",
            remedy="Give a journal as well, for example `--journal run.jsonl --cache`.",
        )
    return DIRECT
