"""An answer without token probabilities says how to have them, whatever is wanted of them."""

import traceback

import pytest

from ds_magic import ChatCompletion
from ds_magic.api.errors import InvalidRequestError
from ds_magic.api.request import ChatRequest
from tests.servers.scripted import completion

REMEDY = "→ Ask for them with `-l`, or in Python with `top_logprobs=20`."


@pytest.fixture
def answer():
    return ChatCompletion.from_wire(completion("Hi", logprobs=None))


@pytest.mark.parametrize(
    "use",
    [
        lambda answer: answer.logprobs.to_pandas(),
        lambda answer: answer.logprobs.explore(),
        lambda answer: answer.logprobs.plot("surprisal"),
        lambda answer: answer.logprobs.perplexity,
        lambda answer: answer.logprobs[0],
        lambda answer: list(answer.logprobs),
        lambda answer: len(answer.logprobs),
        lambda answer: answer.explore(),
        lambda answer: answer.to_html("answer.html"),
    ],
)
def test_whatever_is_wanted_of_them_is_refused_in_two_lines_with_the_remedy(answer, use):
    with pytest.raises(InvalidRequestError) as caught:
        use(answer)
    first, second = "".join(traceback.format_exception_only(caught.value)).splitlines()
    assert "has no token probabilities" in first and second == REMEDY


def test_the_explorer_says_too_that_they_were_asked_for_and_did_not_come():
    request = ChatRequest.build("q", top_logprobs=5)
    with pytest.raises(InvalidRequestError, match="they were asked for, and none came"):
        ChatCompletion.from_wire(completion("Hi", logprobs=None), request=request).explore()


def test_they_are_still_false(answer):
    assert not answer.logprobs and answer.logprobs == None  # noqa: E711
