"""Answers of `/beta/completions` in DeepSeek's shape, for the scripts of `scripted`."""

from tests.servers.scripted import streamed

USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}


def lists(*rows):
    """The legacy lists of logprobs: each row a token, its logprob, and {token: logprob}."""
    tokens = [token for token, _, _ in rows]
    return {
        "tokens": tokens,
        "token_logprobs": [logprob for _, logprob, _ in rows],
        "text_offset": [sum(map(len, tokens[:at])) for at in range(len(tokens))],
        "top_logprobs": [top for _, _, top in rows],
    }


def text(said, *, logprobs=None, finish=None, **fields):
    """A body or a chunk of `text_completion`."""
    choice = {"index": 0, "text": said, "logprobs": logprobs, "finish_reason": finish}
    return {"id": "f1", "object": "text_completion", "created": 1, "model": "scripted", "choices": [choice], **fields}


def filled(*texts, finish="stop", usage=USAGE):
    """A script that streams the texts, one a chunk, and ends as the service does."""
    return streamed(*map(text, texts), text("", finish=finish, usage=usage))


def with_tokens(*rows):
    """A script that streams the tokens of `lists`, one a chunk."""
    return streamed(
        *(text(row[0], logprobs=lists(row)) for row in rows), text("", finish="stop", usage=USAGE)
    )
