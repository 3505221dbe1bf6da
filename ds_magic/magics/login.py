"""`%ds_login`: a key that is typed where nobody sees it. What stands on the magic's line does not come here."""

from __future__ import annotations

from .. import backend
from ..api.errors import InvalidRequestError

FORGET = "--forget"


def forget() -> None:
    """Forget the key that was given."""
    backend.logout()
    print("The key is forgotten.")


def on_the_line() -> InvalidRequestError:
    """What is said of a key that was typed where it stays."""
    return InvalidRequestError(
        "`%ds_login` takes no key on its line, where it would be kept: it now stands in the cell, in every "
        "saved copy of the notebook, and in IPython's history.",
        remedy="Delete it from the cell, revoke the key where you got it, then run `%ds_login` alone: it "
        "asks for the new one.",
    )


def log_in() -> None:
    """Ask for a key, and keep it in this kernel's memory. Raises InvalidRequestError where nobody can be asked."""
    import warnings
    from getpass import GetPassWarning, getpass

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
