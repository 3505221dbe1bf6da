"""JavaScript of widgets: written as plain modules in files, joined here, since a widget's module is one file."""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "\.\.?/[^"]*";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|class|const)", re.MULTILINE)


def joined(folder: Path, *names: str) -> str:
    """One module out of several files, by their places in a folder, in the order of their imports; only the last one
    exports."""
    *shared, last = (_IMPORT.sub("", (folder / name).read_text(encoding="utf-8")) for name in names)
    return "\n".join([_EXPORT.sub("", "\n".join(shared)), last])
