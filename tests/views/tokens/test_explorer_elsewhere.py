"""The explorer where there is no notebook that could show it."""

from jupyter_client.manager import start_new_kernel

from ds_magic.logprobs.table import LogprobTable

MADE = "LogprobTable.from_wire([{'token': 'a', 'logprob': -1.0}]).explore()"


def test_in_a_terminal_it_says_what_it_needs_and_what_writes_a_page():
    explorer = LogprobTable.from_wire([{"token": "a", "logprob": -1.0}]).explore()
    first, second = repr(explorer).split("\n")
    assert first.startswith("Explorer(") and "1 tokens" in first
    assert "needs a notebook" in second and '`answer.to_html("answer.html")`' in second


def test_in_a_kernel_it_does_not():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        said = []
        code = f"from ds_magic.logprobs.table import LogprobTable\nprint(repr({MADE}))"
        client.execute_interactive(code, output_hook=said.append, timeout=60)
        printed = "".join(one["content"]["text"] for one in said if one["msg_type"] == "stream")
        assert printed.startswith("Explorer(") and "notebook" not in printed
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
