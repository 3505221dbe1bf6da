// The table of options and what belongs to it: `python -m ds_magic.magics.options_module` makes it.

/** The options of the magic line, and what their values may be. */
export const OPTIONS = [
  {"name": "system", "kind": "text", "spellings": ["-s", "--system"], "help": "instructions for the model", "possible": "TEXT", "example": "\"some text\""},
  {"name": "prefix", "kind": "text", "spellings": ["--prefix"], "help": "make the answer begin with TEXT (\\n is a new line)", "possible": "TEXT", "example": "\"some text\""},
  {"name": "fim", "kind": "flag", "spellings": ["--fim"], "help": "fill in the middle: the cell is a text with a gap, a line @gap"},
  {"name": "suffix", "kind": "text", "spellings": ["--suffix"], "help": "the same with the gap at the end of the cell, and TEXT behind it", "possible": "TEXT", "example": "\"some text\""},
  {"name": "chat", "kind": "word", "spellings": ["--chat"], "help": "go on with a conversation; the cell is one turn of it", "possible": "a name of your choice, or a variable that is a Chat", "example": "NAME"},
  {"name": "restart", "kind": "flag", "spellings": ["--restart"], "help": "begin that conversation anew"},
  {"name": "json", "kind": "flag", "spellings": ["--json"], "help": "the answer is a JSON object, also in .parsed"},
  {"name": "schema", "kind": "word", "spellings": ["--schema"], "help": "the answer is an object of this type, in .parsed", "possible": "a pydantic model, dataclass, TypedDict, annotation such as list[int], or JSON Schema", "example": "TYPE"},
  {"name": "repair", "kind": "count", "spellings": ["--repair"], "help": "ask again up to N times where it is not", "possible": "a whole number, 0 or more", "example": "20", "least": 0},
  {"name": "max-rounds", "kind": "count", "spellings": ["--max-rounds"], "help": "ask at most N times for an answer (8)", "possible": "a whole number, 1 or more", "example": "20", "least": 1},
  {"name": "strict", "kind": "flag", "spellings": ["--strict"], "help": "the server holds the model to the functions' schemas, which must allow it"},
  {"name": "run-tools", "kind": "flag", "spellings": ["--run-tools", "--no-run-tools"], "help": "make the calls, or stop before the first"},
  {"name": "explore", "kind": "flag", "spellings": ["--explore"], "help": "token probabilities to explore and to branch from, below the answer"},
  {"name": "guess", "kind": "flag", "spellings": ["--guess"], "help": "hide the answer: guess its words one by one, then see what the model nearly said"},
  {"name": "vote", "kind": "flag", "spellings": ["--vote"], "help": "the same for a class, which votes on each word by show of hands"},
  {"name": "local", "kind": "flag", "spellings": ["--local", "--no-local"], "help": "answer with the model on this machine"},
  {"name": "local-model", "kind": "word", "spellings": ["--local-model"], "help": "answer with this model on this machine, fetched if need be", "possible": "a GGUF file, hf:owner/repo[/file] or ollama:name", "example": "NAME"},
  {"name": "base-url", "kind": "word", "spellings": ["--base-url"], "help": "another server that speaks this API", "possible": "an address such as https://api.deepseek.com", "example": "URL"},
  {"name": "timeout", "kind": "number", "spellings": ["--timeout"], "help": "give up after so many seconds", "possible": "a number of seconds above 0", "example": "0.5"},
  {"name": "times", "kind": "count", "spellings": ["--times"], "help": "ask N times: the result is one collection, Answers", "possible": "a whole number, 1 or more", "example": "20", "least": 1},
  {"name": "draw", "kind": "flag", "spellings": ["--draw"], "help": "samples of one token: ask once with -l 20, and draw the N from the distribution of that"},
  {"name": "sweep", "kind": "word", "spellings": ["--sweep"], "help": "ask for each value of an option, and for each combination", "possible": "temperature=0,0.5,1 (for numbers the same as -t 0,0.5,1), or the name of a list or dict of values: system=variants", "example": "OPTION=\u2026"},
  {"name": "map", "kind": "word", "spellings": ["--map"], "help": "ask for each row of a variable; {{ column }} is filled from it", "possible": "the name of a DataFrame, Series, list, dict or any iterable", "example": "NAME"},
  {"name": "journal", "kind": "word", "spellings": ["--journal"], "help": "record what is asked and answered, an exchange a line", "possible": "the name of a file, which need not be there", "example": "FILE"},
  {"name": "cache", "kind": "flag", "spellings": ["--cache", "--no-cache"], "help": "do not ask again what is whole in the journal"},
  {"name": "replay", "kind": "word", "spellings": ["--replay"], "help": "answer from a recording alone, without network, at its pace", "possible": "the name of a file that `--journal` has written", "example": "FILE"},
  {"name": "speed", "kind": "number", "spellings": ["--speed"], "help": "replay so many times as fast as it came", "possible": "a number, 0 or more; 0 is at once", "example": "0.5", "least": 0},
  {"name": "output", "kind": "variable", "spellings": ["-o", "--output"], "help": "bind the result to a variable (always also to _ds)", "possible": "the name of a variable", "example": "answer"},
  {"name": "bg", "kind": "flag", "spellings": ["--bg"], "help": "answer in the background: the value is a handle with .result(), .stop(), .done()"},
  {"name": "playground", "kind": "flag", "spellings": ["--playground"], "help": "open a form with this question to play with; Run asks it"},
  {"name": "quiet", "kind": "flag", "spellings": ["--quiet"], "help": "show nothing"},
  {"name": "dry-run", "kind": "flag", "spellings": ["--dry-run"], "help": "show the request, send nothing"},
  {"name": "model", "kind": "word", "spellings": ["-m", "--model"], "help": "the model that answers", "possible": "the name of a model", "example": "NAME"},
  {"name": "temperature", "kind": "number", "spellings": ["-t", "--temperature"], "help": "0 is the most likely answer, 2 the wildest", "possible": "a number from 0 to 2", "example": "0.5", "least": 0, "most": 2, "listed": true},
  {"name": "top-p", "kind": "number", "spellings": ["--top-p"], "help": "draw only from the likeliest tokens that add up to P", "possible": "a number from 0 to 1", "example": "0.5", "least": 0, "most": 1, "listed": true},
  {"name": "max-tokens", "kind": "count", "spellings": ["--max-tokens"], "help": "end the answer after N tokens", "possible": "a whole number, 1 or more", "example": "20", "least": 1, "listed": true},
  {"name": "stop", "kind": "text", "spellings": ["--stop"], "help": "end the answer before TEXT (\\n is a new line); can be repeated", "possible": "text; at most 16 of them", "example": "\"some text\""},
  {"name": "frequency-penalty", "kind": "number", "spellings": ["--frequency-penalty"], "help": "against repeating what was said often", "possible": "a number from -2 to 2", "example": "0.5", "least": -2, "most": 2, "listed": true},
  {"name": "presence-penalty", "kind": "number", "spellings": ["--presence-penalty"], "help": "against repeating what was said at all", "possible": "a number from -2 to 2", "example": "0.5", "least": -2, "most": 2, "listed": true},
  {"name": "seed", "kind": "count", "spellings": ["--seed"], "help": "draw the same answer again, where the server can", "possible": "a whole number", "example": "20", "listed": true},
  {"name": "thinking", "kind": "flag", "spellings": ["--thinking", "--no-thinking"], "help": "let the model think before it answers, or not"},
  {"name": "reasoning-effort", "kind": "word", "spellings": ["--reasoning-effort"], "help": "how much it thinks", "possible": "none, minimal, low, medium, high, xhigh, max or ultra", "example": "ultra", "choices": ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"]},
  {"name": "response-format", "kind": "json", "spellings": ["--response-format"], "help": "--json as the API spells it", "possible": "text, json_object, or a JSON object such as {\"type\": \"json_object\"}", "example": "json_object", "choices": ["text", "json_object"]},
  {"name": "tools", "kind": "objects", "spellings": ["--tools"], "help": "functions that the model may call", "possible": "names of Python functions, Tool objects or definitions, separated by commas", "example": "f,g"},
  {"name": "tool-choice", "kind": "word", "spellings": ["--tool-choice"], "help": "which function it calls", "possible": "none, auto, required or the name of a function", "example": "required", "choices": ["none", "auto", "required"]},
  {"name": "top-logprobs", "kind": "count", "spellings": ["-l", "--top-logprobs"], "help": "token probabilities with N alternatives (20)", "possible": "a whole number from 0 to 20; with the model on this machine more, up to its whole vocabulary", "example": "20", "least": 0, "most": 262144, "implied": 20},
  {"name": "logprobs", "kind": "flag", "spellings": ["--logprobs"], "help": "token probabilities without alternatives"},
  {"name": "user-id", "kind": "text", "spellings": ["--user-id"], "help": "a name for whoever asks, which parts the server's cache", "possible": "1 to 512 of A-Z a-z 0-9 _ -", "example": "\"some text\""},
  {"name": "extra", "kind": "json", "spellings": ["--extra"], "help": "more request fields, sent as they are", "possible": "a JSON object such as {\"min_p\": 0.1}, or the name of a dictionary", "example": "{\"min_p\": 0.1}"},
  {"name": "stream", "kind": "flag", "spellings": ["--stream", "--no-stream"], "help": "show the answer as it comes (it does), or when it is whole"},
];

/** The line magics beside `%deepseek`, and the options that each takes. */
export const COMPANIONS = {
  "ds_login": ["--forget"],
  "ds_models": ["--local", "--local-model", "--base-url", "--timeout"],
  "ds_chats": [],
  "ds_usage": ["--reset"],
  "ds_balance": ["--base-url", "--timeout"],
  "ds_share": ["--notebook", "--large"],
  "ds_reset": [],
  "ds_help": [],
  "ds_why": [],
};

/** The attributes of each role's line. */
export const ROLES = {
  "system": ["name"],
  "user": ["name"],
  "assistant": ["name", "reasoning"],
  "tool": ["call_id"],
};

/** Names that no variable can have. */
export const KEYWORDS = ["False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield"];

/** Dashes that stand for plain ones. */
export const DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d";

/** Those of them that stand for two. */
export const LONG_DASHES = "\u2014\u2015";

/** By the quote that begins a value, those that can end it. */
export const QUOTES = {
  "\"": "\"",
  "'": "'",
  "\u201c": "\u201c\u201d\u201e\u201f",
  "\u201d": "\u201c\u201d\u201e\u201f",
  "\u201e": "\u201c\u201d\u201e\u201f",
  "\u201f": "\u201c\u201d\u201e\u201f",
  "\u2018": "\u2018\u2019\u201a\u201b",
  "\u2019": "\u2018\u2019\u201a\u201b",
  "\u201a": "\u2018\u2019\u201a\u201b",
  "\u201b": "\u2018\u2019\u201a\u201b",
  "\u00ab": "\u00ab\u00bb",
  "\u00bb": "\u00ab\u00bb",
  "\u2039": "\u2039\u203a",
  "\u203a": "\u2039\u203a",
  "\uff02": "\uff02",
  "\uff07": "\uff07",
};
