"""What can go wrong with a journal.

    DeepSeekError
    └── JournalError                 the file cannot be read or written
        ├── JournalInUseError        another process writes it
        └── UnknownRequestError      the recording has no answer to what is asked
"""

from __future__ import annotations

from ..api.errors import DeepSeekError


class JournalError(DeepSeekError):
    """A journal cannot be read or written."""

    default_remedy = "`ds-magic journal FILE --check` says what is in the file."


class JournalInUseError(JournalError):
    """Another process writes the journal; the message says which."""

    default_remedy = "Wait until it is done, stop it, or record into another file."


class UnknownRequestError(JournalError):
    """The recording has no answer to what is asked; the message shows the nearest, and what differs."""

    default_remedy = "Ask it as it was recorded, or record it: `--journal FILE` instead of `--replay`."
