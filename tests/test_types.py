"""A user's type checker knows what ds_magic gives: the columns of a table, the fields of an answer."""

import re
from pathlib import Path

import pytest
from mypy import api as mypy

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".mypy_cache" / "user"  # other options than in pyproject.toml need a cache of their own


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Checks a user's script as strictly as mypy can; returns what it says, without the file's name."""
    monkeypatch.setenv("MYPYPATH", str(ROOT))

    def checked(script):
        file = tmp_path / "script.py"
        file.write_text(script, encoding="utf-8")
        # Where a package is installed mypy reports nothing of its own files: silent says the same of these.
        options = ["--strict", "--follow-imports=silent", "--no-error-summary", "--config-file="]
        out, err, _ = mypy.run([*options, f"--cache-dir={CACHE}", str(file)])
        assert not err, err
        return re.sub(r"^.*?script\.py:", "", out, flags=re.MULTILINE).splitlines()

    return checked


QUESTIONS = """
import ds_magic
from ds_magic import Chat, ChatCompletion, Client, DeepSeekError, LogprobTable, compare

answer = ds_magic.chat("Name a colour.", temperature=0, top_logprobs=5)
print(answer.content.upper(), answer.finish_reason, answer.interrupted, str(answer))
client = Client(base_url="http://127.0.0.1:8000", api_key="none")
other: ChatCompletion = client.chat("Name a colour.", model="deepseek-chat", logprobs=True, top_logprobs=20)
with client.stream([{"role": "user", "content": "Hi"}], model="deepseek-chat") as stream:
    for delta in stream:
        print((delta.content or "") + (delta.reasoning_content or ""), delta.index)
print(stream.completion.content)
try:
    third = ds_magic.ask("And another?", system="Be brief.", prefix="It is", top_logprobs=5, chat=Chat("colours"))
except DeepSeekError as error:
    print(error.status, error.remedy, error.partial)
print(compare(answer, other).divergence, compare(answer.logprobs, other.logprobs).to_pandas())
print(ds_magic.entropy([answer, other]).clusters[0][0].content)
many = ds_magic.sweep("A colour.", temperature=[0, 1], times=3, top_logprobs=5) + ds_magic.sample("A colour.", 3)
print(many[0].content.upper(), many[:2].where(temperature=0).counts()["red"].share, many.completions[0].finish_reason)
for row in ds_magic.map("Is {{ n }} prime?", [2, 3], concurrency=2):
    print(row.factors["n"], row.answer.content if row.answer is not None else row.error, row.logprobs.perplexity)
print(many.group_by("temperature")[0].divergence().root.text, many.entropy().clusters[0][0].factors, many.to_pandas())
"""


@pytest.mark.slow
def test_questions_and_answers_are_typed(check):
    assert check(QUESTIONS) == []


TABLES = """
import ds_magic

answer = ds_magic.chat("Name a colour.", top_logprobs=5)
table = answer.logprobs
assert table
print(answer.logprobs.prob[0], answer.logprobs.prob.mean(), table.logprob, table.surprisal, table.token)
unsure = table.prob < 0.5
print(table.token[3].strip(), table.bytes[3].hex(), (table.status == "exact") & ~table.forced & unsure)
print(table.entropy_low + table.margin, table.rank[unsure], table.char_end - table.char_start)
for row in table.least_certain(5):
    print(row.label, f"{row.prob:.1%}", row.rank or "below", [(one.token, one.prob) for one in row.alternatives])
for one in table.alternatives():
    print(one.label, one.cumulative)
table.alternatives().to_pandas().to_csv("alternatives.csv")
print(table.to_pandas().groupby("status").size(), table.to_csv("tokens.csv").name)
print(table.perplexity.value, float(table.bits_per_byte), table.notes, table.text_content)
print(table.fields()["colour"].prob, table.classify(["red", "blue"])["red"].ratio, table.windows(8).lowest.text)
print(table.at_temperature(0.5).high.max())
"""


@pytest.mark.slow
def test_the_columns_of_a_table_are_typed(check):
    assert check(TABLES) == []


COLUMNS = """
from typing import Literal, assert_type

import numpy as np
import pandas as pd
from ds_magic import LogprobTable
from ds_magic.logprobs.rows import Token

def columns(table: LogprobTable) -> None:
    assert_type(table.prob, np.ndarray[tuple[int], np.dtype[np.float64]])
    assert_type(table.rank, np.ndarray[tuple[int], np.dtype[np.int32]])
    assert_type(table.char_start, np.ndarray[tuple[int], np.dtype[np.int64]])
    assert_type(table.forced, np.ndarray[tuple[int], np.dtype[np.bool_]])
    assert_type(table.status, np.ndarray[tuple[int], np.dtype[np.str_]])
    assert_type(table.token, list[str])
    assert_type(table[0], Token)
    assert_type(table[1:3], LogprobTable)
    assert_type(table[0].status, Literal["exact", "censored", "missing", "degenerate", "constrained"])
    assert_type(table.alternatives().cumulative, np.ndarray[tuple[int], np.dtype[np.float64]])
    assert_type(table.alternatives()[0].bytes, bytes)
    assert_type(table.to_pandas(), pd.DataFrame)
"""


def test_columns_are_one_dimensional_arrays_of_a_known_kind(check):
    assert check(COLUMNS) == []


def test_a_column_that_is_not_there_is_an_error(check):
    script = "from ds_magic import LogprobTable\ndef wrong(table: LogprobTable) -> object:\n    return table.probs\n"
    assert check(script) == ['3: error: "LogprobTable" has no attribute "probs"; maybe "prob"?  [attr-defined]']
