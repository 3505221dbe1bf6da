"""Run a notebook in a real kernel and print each cell and what it gives, as it comes.

    python binder/run_notebook.py NOTEBOOK [--with-key | --record]

Answers come from the embedded model, whatever key is set; with `--with-key` from the server that the environment
means. Ends with 1 if a cell failed. The notebook's file is left as it is, but with `--record`: then its outputs are
saved in it, and what was asked and answered beside it, in recordings/NOTEBOOK.jsonl, which DS_MAGIC_REPLAY takes.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

QUIET = ["--log-level=ERROR"]
"""For the kernel: its remarks on transport encryption are no part of the demo."""
HAS_COLOURS = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
DIM, BOLD, PLAIN = ("\033[2m", "\033[1m", "\033[0m") if HAS_COLOURS else ("", "", "")


def show(text: str) -> None:
    print(text, end="", flush=True)


class Narrator(NotebookClient):
    """Runs cells and prints what they give, piece by piece."""

    def process_message(self, message, cell, cell_index):
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            show(content["text"])
        elif kind == "error":
            show("\n".join(content["traceback"]) + "\n")
        elif kind in ("execute_result", "display_data"):
            show(content["data"].get("text/plain", "").rstrip() + "\n")
        return super().process_message(message, cell, cell_index)


def main(path: str, *options: str) -> int:
    if "--record" not in options:
        # The text view prints each token when it comes; what a notebook shows would come at the end of a cell.
        return run(path, options, "text", str(Path(path).parent))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DS_MAGIC_JOURNAL"] = f"{folder}/recording.jsonl"
        failed = run(path, options, "static", folder)
        if not failed:
            keep_recording(Path(path), sorted(Path(folder).glob("*.jsonl")))
    return failed


def keep_recording(path: Path, journals: list[Path]) -> None:
    """All that was recorded, also in a journal of the notebook's own, as one beside it."""
    lines = [line for each in journals for line in each.read_bytes().splitlines(keepends=True)]
    recording = path.parent / "recordings" / f"{path.stem}.jsonl"
    recording.parent.mkdir(exist_ok=True)
    recording.write_bytes(b"".join(dict.fromkeys(lines)))  # the first line, the header, once


def without_widgets(output):
    """An output as it is kept: a widget has no state in a saved notebook."""
    output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return output


def run(path: str, options: tuple[str, ...], view: str, folder: str) -> int:
    os.environ["DS_MAGIC_VIEW"] = view
    os.environ.pop("JPY_SESSION_NAME", None)
    if "--with-key" not in options:
        for name in ("DEEPSEEK_API_KEY", "DEEPSEEK_BASE_URL"):
            os.environ.pop(name, None)
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": folder}}
    narrator = Narrator(notebook, timeout=1200, kernel_name="python3", resources=resources, extra_arguments=QUIET)
    with narrator.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown":
                show(f"\n{DIM}{cell.source}{PLAIN}\n")
            elif cell.source.strip():
                lines = cell.source.splitlines()
                show(f"\n{BOLD}" + "\n".join(f"> {line}" for line in lines) + f"{PLAIN}\n\n")
                try:
                    narrator.execute_cell(cell, index)
                except CellExecutionError:
                    show(f"\nThe cell above failed: {path}\n")
                    return 1
    if "--record" in options:
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # when it ran
            cell.get("outputs", [])[:] = map(without_widgets, cell.get("outputs", []))
        nbformat.write(notebook, path)
    show(f"\nEvery cell of {path} ran.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
