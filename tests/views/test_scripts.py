"""Widgets' scripts are written in several files and sent as one module."""

from ds_magic.views.scripts import joined

LOW = "export function low() {}\nexport async function slow() {}\nexport class Low {}\n"
HIGH = 'import { low } from "./low.js";\nexport const high = low;\n'
TOP = 'import { high } from "./high.js";\nimport {\n  slow,\n} from "./low.js";\nexport default high;\n'


def test_files_are_one_module_that_exports_what_the_last_one_does(tmp_path):
    for name, text in (("low.js", LOW), ("high.js", HIGH), ("top.js", TOP)):
        (tmp_path / name).write_text(text)
    lines = joined(tmp_path, "low.js", "high.js", "top.js").splitlines()
    assert [line for line in lines if line] == [
        "function low() {}",
        "async function slow() {}",
        "class Low {}",
        "const high = low;",
        "export default high;",
    ]
