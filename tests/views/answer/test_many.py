"""A kernel in which very many cells were answered."""

from tests.views.answer.test_display import kernel, outputs  # noqa: F401

CELLS = """
import gc, ipywidgets, psutil
text = "A word, " * 200

def answered(kind):
    view = make_view(kind)
    view.start(ChatRequest.build("q"), "embedded model")
    for word in text.split(): view.delta(delta(content=word + " "))
    view.finish(completion(text), None)

def memory():
    gc.collect()
    return psutil.Process().memory_info().rss

for number in range(100): answered(("live", "static")[number % 2])
before, comms = memory(), len(get_ipython().kernel.comm_manager.comms)
for number in range(1000): answered(("live", "static")[number % 2])
grown, more = memory() - before, len(get_ipython().kernel.comm_manager.comms) - comms
print(more, grown)
"""


def test_a_thousand_cells_leave_no_widget_and_no_memory_behind(kernel):  # noqa: F811
    printed = [content["text"] for kind, content in outputs(kernel, CELLS) if kind == "stream"]
    more, grown = map(int, "".join(printed).split())
    assert more == 0
    assert grown < 20e6, f"{grown / 1e6:.0f} MB"
