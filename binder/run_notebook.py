"""Run a notebook in a real kernel and print each cell and what it gives, as it comes.

    python binder/run_notebook.py NOTEBOOK [--with-key]

Answers come from the embedded model, whatever key is set; with `--with-key` from the server that the environment
means. Ends with 1 if a cell failed. The notebook's file is left as it is.
"""

import os
import sys
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
    # The text view prints each token when it comes; what a notebook shows would come at the end of a cell.
    os.environ["DS_MAGIC_VIEW"] = "text"
    os.environ.pop("JPY_SESSION_NAME", None)
    if "--with-key" not in options:
        for name in ("DEEPSEEK_API_KEY", "DEEPSEEK_BASE_URL"):
            os.environ.pop(name, None)
    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(Path(path).parent)}}
    narrator = Narrator(notebook, timeout=1200, kernel_name="python3", resources=folder, extra_arguments=QUIET)
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
    show(f"\nEvery cell of {path} ran.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
