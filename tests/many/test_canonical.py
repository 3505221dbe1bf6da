"""The one way to write a request, and its key."""

import pytest

from ds_magic.many.canonical import canonical, key_of


@pytest.mark.parametrize(("value", "written"), [  # the examples of RFC 8785, and its appendix B
    ({"peach": 1, "péché": 2, "pêche": 3}, '{"peach":1,"péché":2,"pêche":3}'),
    ({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "ö": 7},
     '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}'),
    ([56, {"d": True, "10": None, "1": []}], '[56,{"1":[],"10":null,"d":true}]'),
    ([333333333.33333329, 1e30, 4.5, 2e-3, 1e-27], "[333333333.3333333,1e+30,4.5,0.002,1e-27]"),
    ([0.0, -0.0, 1.0, 1e20, 1e21], "[0,0,1,100000000000000000000,1e+21]"),
    ([1e-6, 1e-7, 9.999e-5, -1.5e-9], "[0.000001,1e-7,0.00009999,-1.5e-9]"),
    ("\u20ac$\x0f\nA'B\"\\\\\"/", '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
])  # fmt: skip
def test_values_are_written_as_rfc_8785_says(value, written):
    assert canonical(value) == written


def test_the_key_is_that_of_the_request_whatever_its_order_and_of_server_and_sample():
    asked = {"messages": [{"role": "user", "content": "Hi"}], "temperature": 1.0}
    same = {"temperature": 1, "messages": [{"content": "Hi", "role": "user"}]}
    key = key_of(asked, "DeepSeek")
    assert key == key_of(same, "DeepSeek")
    others = {key_of(asked, "elsewhere"), key_of(asked, "DeepSeek", 1), key_of({**asked, "top_p": 1}, "DeepSeek")}
    assert len(others | {key}) == 4
