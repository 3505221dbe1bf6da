"""The page of `%%deepseek?`, and what `%ds_help` says, made from the table of options."""

from __future__ import annotations

import textwrap

from ..api.errors import InvalidRequestError
from ..api.nearest import nearest
from .options import GROUPS, OPTIONS, Option, example

_WIDTH = 96

_HEAD = """\
Ask a language model: the cell is the prompt, and the answer streams in below it.

  %%deepseek [options] [prompt]          the prompt may go on over several lines
  x = %deepseek [options] prompt         on one line; gives the result

  %%deepseek -t 0 -l -o answer           the likeliest answer, token probabilities, in `answer`
  %%deepseek --prefix "It is"            an answer that begins with these words
  %%deepseek --chat lesson               a turn of a conversation; run it again to replace it
  %%deepseek --tools weather,add         Python functions that the model may call
  %%deepseek --schema Invoice            an object of that type in `_ds.parsed`
"""

_FOOT = """\
{{ name }}, with blanks, is filled from your variables. A line @system, @user, @assistant or
@tool call_id=… alone begins a message of that role; @assistant prefix begins the answer itself.
Every result is also `_ds`. Defaults: %config DeepSeekMagics, DS_MAGIC_… in the environment.
%ds_help OPTION or TOPIC explains more; the topics are
{topics}
%ds_login  %ds_models  %ds_chats  %ds_usage  %ds_balance  %ds_share  %ds_reset  %ds_why"""

TOPICS = {
    "filling": r"""
Filling: {{ name }}, {{ name.attr }} and {{ name[0] }}, with blanks inside the braces, are filled from
your variables, in the cell and in the values of options. Nothing is called, and what was filled in is only
text: it is not filled again, and no role begins in it. Everything else stays as it is: {x}, {{x}}, JSON, LaTeX.
\{{ name }} is the literal text. In the text of an option \n is a new line, \t a tab, \\ a backslash.""",
    "roles": r"""
Roles: a cell is one message of the user. A line @system, @user, @assistant or @tool call_id=… alone begins a
message of that role; attributes follow it (@user name=ada). @assistant prefix, last, begins the answer; with
reasoning="…" its thinking too. \@user is the literal text.""",
    "fim": r"""
Fill in the middle: with --fim the cell is a text with a gap, a line @gap. The word @gap is replaced by what the model
writes, and everything else is sent as it stands, blanks and line breaks too; \@gap is the literal text. --suffix TEXT
has the gap at the end of the cell instead, and TEXT behind it. There are no messages, and nothing is thought: -l, -t,
--max-tokens (up to 4,096) and --stop are as ever. In Python: ds_magic.complete(prompt, suffix).""",
    "chat": """
Conversations: --chat NAME keeps one, and each cell is a turn of it. Running a cell again replaces its turn;
later turns are then stale: they are kept but not sent until their cells are run again. --restart begins anew.
%ds_chats lists them; chat = %ds_chats NAME gives one, with messages, fork(), save(path), and Chat.load(path).
--chat also takes a variable that is a Chat.
A cell is known by its id where the frontend sends one, else by its text. Turns stand in the order of the
notebook's cells, as far as it is saved.""",
    "tools": """
Functions: --tools f,g lets the model call Python functions of yours; the schema comes from the signature, the
annotations and the docstring. Each call is shown with its arguments and what it gave; an error goes to the
model as the result. It ends when the model answers, at the latest after --max-rounds (8). --no-run-tools
stops before the first call; with --chat the next cell gives the result, below @tool call_id={{ _ds.tool_calls[0].id }}.
answer.rounds has all of it. Definitions as JSON work as well, without being called. With --strict the server holds
the model to their schemas: every argument is given then, also one with a default; a function that does not allow it
(keys without names, lengths of strings and lists) is named before anything is sent.""",
    "json": """
JSON: --json asks for a JSON object; --schema TYPE for one of a type: a pydantic model, a dataclass, a TypedDict,
list[int], a JSON Schema. The object is in answer.parsed. An answer that is blank, cut off or does not fit is an
error that shows where; --repair N asks again up to N times with the reason.""",
    "probabilities": """
Probabilities: -l asks for the probability of every token with 20 alternatives each (-l 5: with five).
answer.logprobs is the table; answer.logprobs.to_pandas() a data frame. A probability measures the choice of a
token, not the truth of a sentence. --guess hides the answer: its words are guessed one by one, with a score in bits
against the model's favourite; --vote counts the hands of a class. Afterwards: answer.guess(vote=True).""",
    "many": """
Many answers: --times 100 asks so often (of one token --draw draws them from one request); -t 0,0.5,1 for each number,
--sweep system=variants for each of a list or dict, several for each combination; --map questions for each row of a
DataFrame, Series, list or dict, {{ column }} filled from it. The result is one collection, Answers: answers.counts(),
.divergence(), .where(temperature=0), .group_by("system"), .to_pandas(), .reliability("right"). What failed is a row
of it. Interrupt once to end it with what is there; --journal FILE --cache to go on later, or to ask nothing twice.""",
    "recordings": """
Recordings: --journal FILE writes each request and its answer, as it streamed, into a file that only grows; never a
key. With --cache what is whole in it is not asked again. --replay FILE answers from it alone: no network, the same
text and probabilities at the same pace (--speed 4, --speed 0 at once), marked RECORDING. For every cell: %config
DeepSeekMagics.journal, .cache and .replay. In a terminal `ds-magic journal FILE` lists, checks and exports it.""",
    "keys": """
Keys: %ds_login asks for one without showing it, for this kernel only; or set DEEPSEEK_API_KEY before the kernel
starts. Without a key the model on this machine answers. A key in a cell is refused: it would stay in the notebook.""",
    "sharing": """
Sharing: %ds_share answer page.html writes a result as one page of HTML that needs no network, with what was asked, of
whom and how; without a name all that this kernel's cells answered. --notebook: the notebook as it was saved last
(ds-magic page NOTEBOOK.ipynb in a terminal). --large, or %config DeepSeekMagics.size = "projector": for a room.
%ds_reset sets chats, usage, defaults, variables of ours and open views back; files and your key stay.""",
    "servers": """
Other servers: --base-url URL, or %config DeepSeekMagics.base_url, for any server that speaks this API;
--local for the model on this machine, --local-model NAME for another one (a GGUF file, hf:owner/repo, ollama:name;
`ds-magic models` lists them). What a server does not give is said under the answer.""",
    "defaults": """
Defaults, strongest first: the option, %config DeepSeekMagics.model = "…" (or IPython's config files),
DS_MAGIC_MODEL or DEEPSEEK_MODEL in the environment, ours. %config DeepSeekMagics lists them.""",
}


def page() -> str:
    """The page of `%%deepseek?`: fits a screen."""
    lines = [_HEAD]
    for group in GROUPS:
        usages = "   ".join(_short_usage(option) for option in OPTIONS if option.group == group)
        # A usage is not broken: its own blanks count as letters.
        wrapped = textwrap.wrap(usages, _WIDTH, initial_indent=f"{group:<15}", subsequent_indent=" " * 15)
        lines += [line.replace("\u00a0", " ") for line in wrapped]
    return "\n".join([*lines, "", _FOOT.replace("{topics}", textwrap.fill(f"{', '.join(TOPICS)}.", _WIDTH))])


def about(topic: str) -> str:
    """What `%ds_help TOPIC` prints. Raises InvalidRequestError with the nearest topic."""
    if not topic:
        return page()
    if topic == "options":
        return "\n\n".join(_explained(option) for option in OPTIONS)
    word = topic.lstrip("-").removeprefix("no-").lower()
    options = [option for option in OPTIONS if topic in option.spellings or word in (option.name, option.short)]
    texts = [TOPICS[word].strip()] if word in TOPICS and not topic.startswith("-") else []
    texts += [_explained(option) for option in options]
    if texts:
        return "\n\n".join(texts)
    near = nearest(word, [*TOPICS, *(option.name for option in OPTIONS)])
    raise InvalidRequestError(
        f"There is no help on `{topic}`.",
        remedy=(f"Did you mean `%ds_help {near}`? " if near else "")
        + f"There is help on {', '.join(TOPICS)}, and on every option.",
    )


def _short_usage(option: Option) -> str:
    name = f"-{option.short}" if option.short else option.long
    if option.negatable:
        name = f"--[no-]{option.name}"
    value = f"[{option.metavar}]" if option.implied is not None else option.metavar
    return " ".join(filter(None, [name, value])).replace(" ", "\u00a0")


def _explained(option: Option) -> str:
    lines = [option.usage, f"    {option.help}."]
    if option.range:
        implied = f"; {option.implied} where it is left out" if option.implied is not None else ""
        lines.append(f"    Takes {option.range}{implied}.")
    if option.field:
        lines.append(f"    Sets `{option.field}` of the request.")
    lines.append(f"    Example: {example(option)}")
    return "\n".join(lines)
