"""A key in a cell is refused, and shows nowhere."""

import atexit

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from ds_magic.magics.keys_in_cells import holds_key
from tests.servers.scripted import ScriptedServer, answered, refused, said

KEY = "sk-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OTHER = "a-key-of-another-server-7Hq2"


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    return KEY


def our_frames(error):
    """The frames of ours that an error still holds, whose locals a debugger shows."""
    frames, traceback = [], error.__traceback__
    while traceback is not None:
        if "ds_magic" in traceback.tb_frame.f_code.co_filename:
            frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return frames


CELLS_WITH_KEYS = [
    "%%deepseek\nMy key is {key}.",
    "%%deepseek -s {key}\nHi",
    "%%deepseek --extra {{\"api_key\": \"{key}\"}}\nHi",
    "%%deepseek --api-key {key}\nHi",
    "%%deepseek --base-url http://127.0.0.1:9/?k={key}\nHi",
    "%deepseek {key}",
    "x = %deepseek -t 0 {key}?",
    "%ds_models --api-key={key}",
    "%ds_login {key}",
]


@pytest.mark.parametrize("cell", CELLS_WITH_KEYS)
@pytest.mark.parametrize("mode", ["Context", "Verbose"])
def test_a_key_in_a_cell_is_refused_masked_and_not_sent(cell, mode, ask, shell, capsys):
    shell.run_cell(f"%xmode {mode}")
    capsys.readouterr()
    result = shell.run_cell(cell.format(key=KEY))
    shell.run_cell("%ds_why")
    shell.run_cell("%tb")
    shown = "".join(capsys.readouterr())
    assert type(result.error_in_exec).__name__ == "InvalidRequestError"
    assert "revoke" in shown and "history" in shown
    assert KEY not in shown and KEY[3:12] not in shown
    frames = our_frames(result.error_in_exec)
    assert frames and not any(KEY in str(frame.f_locals) for frame in frames)
    assert ask.server.requests == []


def test_the_key_in_use_is_refused_whatever_it_looks_like(ask, shell, monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", OTHER)
    assert shell.run_cell(f"%deepseek Is {OTHER} a word?").error_in_exec is not None
    assert ask.server.requests == []


def test_a_key_that_is_filled_in_is_refused_with_its_place(ask, shell, capsys):
    shell.user_ns["mine"] = KEY
    shell.run_cell("%%deepseek\nKeep this: {{ mine }}")
    shown = capsys.readouterr().out
    assert "{{ mine }}" in shown and KEY not in shown
    assert ask.server.requests == []


def test_words_that_only_look_like_a_key_are_not_refused():
    assert not holds_key("Compare sk-learn-compatible-estimators and task-0123456789abcdef0123.")
    assert holds_key(f"({KEY})")
    assert holds_key("sk-" + "abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize("mode", ["Context", "Verbose"])
@pytest.mark.parametrize(
    "script",
    [
        said("Hello"),
        refused(401, f"Authentication Fails, Your api key: ****{KEY[-4:]} is invalid"),
        refused(400, f"odd: {KEY}"),
        answered(b"<html>Bearer %s</html>" % KEY.encode(), content_type="text/html"),
    ],
    ids=["answered", "unauthorised", "quoted", "not JSON"],
)
def test_the_key_that_was_sent_shows_nowhere(script, mode, key, ask, shell, capsys):
    ask.server.scripts = [script]
    shell.run_cell(f"%xmode {mode}")
    result = shell.run_cell("%%deepseek -o answer\nHi", store_history=True)
    shell.user_ns.setdefault("_ds", None)
    for cell in ("%ds_why", "%tb", "print(repr(_ds), getattr(_ds, 'request', ''))", "%config DeepSeekMagics"):
        shell.run_cell(cell)
    assert ask.server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    shown = "".join(capsys.readouterr())
    assert KEY not in shown and KEY[-4:] not in shown
    if result.error_in_exec is not None:
        assert {frame.f_code.co_name for frame in our_frames(result.error_in_exec)} == {"magic"}


def test_the_history_that_ipython_keeps_on_disk_holds_no_key_and_what_was_asked(key, monkeypatch, tmp_path):
    file = tmp_path / "history.sqlite"
    config = Config()
    config.HistoryManager.hist_file = str(file)
    config.HistoryManager.db_log_output = True
    shell = InteractiveShell(config=config)
    echo = f"no access for {KEY}"
    with ScriptedServer(said("Hello"), refused(401, echo, code=[echo])) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        for cell in ("%load_ext ds_magic", "import ds_magic", "x = %deepseek Hi", "x", "%deepseek no", "%ds_why",
                     "ds_magic.Client()", "%ds_usage", "%deepseek --dry-run Hi", "error = Exception()\nvars()"):
            shell.run_cell(cell, store_history=True)
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert [request.path for request in server.requests] == ["/chat/completions"] * 2 + ["/user/balance"]
    shell.history_manager.writeout_cache()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("history.sqlite*"))
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()
    assert b"deepseek Hi" in kept and b"Hello" in kept
    assert not [at for at in range(3, len(KEY) - 8) if KEY[at : at + 8].encode() in kept]
