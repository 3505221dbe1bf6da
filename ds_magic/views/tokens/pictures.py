"""Which picture each result has, as HTML and as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ds_magic.logprobs.compare import Comparison
from ds_magic.logprobs.json_values import Field, Fields
from ds_magic.logprobs.labels import Classification
from ds_magic.logprobs.metrics import Windows
from ds_magic.logprobs.next_bytes import NextBytes
from ds_magic.logprobs.samples import SampleEntropy
from ds_magic.logprobs.scores import Scores
from ds_magic.logprobs.temperature import TemperedTable
from ds_magic.logprobs.tempered_place import TemperedPlace

from .classification import classification_html, classification_text
from .comparison import comparison_html, comparison_text
from .field_table import field_html, field_text, fields_html, fields_text
from .meanings import meanings_html, meanings_text
from .next_bytes import next_bytes_html, next_bytes_text
from .score_bars import scores_html, scores_text
from .tempered import tempered_html, tempered_text
from .tempered_place import tempered_place_html, tempered_place_text
from .wavering import windows_html, windows_text

_Pictures = tuple[Callable[[Any], str], Callable[[Any], str]]

PICTURES: dict[type, _Pictures] = {
    Comparison: (comparison_html, comparison_text),
    Classification: (classification_html, classification_text),
    Field: (field_html, field_text),
    Fields: (fields_html, fields_text),
    NextBytes: (next_bytes_html, next_bytes_text),
    SampleEntropy: (meanings_html, meanings_text),
    Scores: (scores_html, scores_text),
    TemperedPlace: (tempered_place_html, tempered_place_text),
    TemperedTable: (tempered_html, tempered_text),
    Windows: (windows_html, windows_text),
}


def html(result: object) -> str:
    """The picture of a result, script-free."""
    return _pictures(result)[0](result)


def text(result: object) -> str:
    """The same for a terminal and for text/plain."""
    return _pictures(result)[1](result)


def _pictures(result: object) -> _Pictures:
    return next(PICTURES[each] for each in type(result).__mro__ if each in PICTURES)
