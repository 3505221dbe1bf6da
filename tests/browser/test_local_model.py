"""A model of the hub as a reader in JupyterLab sees it: fetched, stopped, and then thinking by its template."""

import json
import threading

import pytest

from tests.browser.test_live import shows, text_of
from tests.local.hermes import HERMES, MARKS, THINKS, WORDS
from tests.local.tiny_models import write_model
from tests.servers.hub import Hub

TOKEN = "hf_0a1b2c3d4e5f6a7b8c9d"
CELL = "%%deepseek --local-model hf:ada/Tiny-GGUF --thinking -l 3 -o answer\nHi"


@pytest.fixture
def hub(tmp_path):
    """A hub whose model is only for who has the token, and comes half at first; the rest once `held` is set."""
    with Hub() as hub:
        file = write_model(tmp_path / "tiny-Q4_K_M.gguf", HERMES, marks=MARKS, words=WORDS, says=THINKS)
        hub.put("ada/Tiny-GGUF", file, token=TOKEN)
        hub.half, hub.held = file.stat().st_size // 2, threading.Event()
        hub.breaks = [hub.half]
        yield hub
        hub.held.set()


def test_a_model_is_fetched_in_sight_can_be_stopped_and_thinks_when_it_has_come(lab, hub, jupyter, tmp_path):
    environment = {
        "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN,
    }
    notebook = lab(
        f"import os, json; os.environ.update(json.load(open({str(tmp_path / 'environment')!r})))\n%load_ext ds_magic",
        CELL, "got = globals().get('answer'); print(f'<{got and got.reasoning_content}: {got}>')",
    )
    (tmp_path / "environment").write_text(json.dumps(environment))
    notebook.run_all()
    page = notebook.page
    shows(page, "The model is being fetched, once: 1 of 2 MB.")
    page.click(".ds-live .ds-stop")
    shows(page, "stopped: this answer is partial", ".jp-RenderedHTML")
    shows(page, "<None: None>", ".jp-OutputArea-output")  # nothing had come
    hub.held.set()
    notebook.run_from(1)
    shows(page, "<We add them: It is>", ".jp-OutputArea-output")
    page.wait_for_selector(".ds-live", state="detached")
    shows(page, "We add them", ".jp-RenderedHTML")
    assert "It is" in text_of(page, ".jp-RenderedHTML")
    notebook.save()
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    assert TOKEN not in json.dumps(jupyter.saved(notebook.notebook))
    assert hub.sent == [0, hub.half] and set(hub.tokens_at_the_store) == {None}
