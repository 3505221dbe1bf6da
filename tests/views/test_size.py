import math
import re

import pytest

from ds_magic.api.response import ChatCompletion
from ds_magic.views import size
from ds_magic.views.tokens.tints import METRICS, TINT, tint_styles
from tests.views.tokens.test_tables import THEMES, contrast, over


def answered():
    entry = {"token": "yes", "bytes": list(b"yes"), "logprob": math.log(0.3)}
    entry["top_logprobs"] = [dict(entry), {"token": "no", "bytes": list(b"no"), "logprob": math.log(0.2)}]
    choice = {"message": {"content": "yes"}, "logprobs": {"content": [entry]}, "finish_reason": "stop"}
    return ChatCompletion.from_wire({"model": "tiny", "choices": [choice]}, notes=["a note"])


def test_for_a_projector_all_is_half_as_large_again_and_nothing_twice(projected):
    assert answered()._repr_mimebundle_()["text/html"].count("font-size:1.5em") == 1
    assert answered().logprobs._repr_html_().count("font-size:1.5em") == 1
    assert answered().logprobs[0]._repr_html_().count("font-size:1.5em") == 1


def test_for_a_projector_there_is_no_small_print_but_what_a_reader_should_know(projected):
    html = answered()._repr_mimebundle_()["text/html"]
    assert "tiny" not in html and "a note" in html


def test_for_a_projector_tints_are_stronger_and_text_stays_readable(projected):
    strong = tint_styles()
    assert "0.75" in strong[-1]
    alphas = [METRICS["surprisal"].alpha(each) for each in range(len(strong))]
    for page, ink, alpha in THEMES.values():
        for each in alphas:
            under = over(TINT, each, page)
            assert contrast(over(ink, alpha, under), under) >= 4.5


def test_otherwise_it_has_the_size_of_the_page():
    assert not re.search(r"font-size:1\.5em", answered()._repr_mimebundle_()["text/html"])
    with pytest.raises(ValueError, match="no size 'huge': choose one of normal, projector"):
        size.set_size("huge")
