"""What axe-core, which knows the rules for pages that everybody can use, has to say of a part of a page."""

from pathlib import Path

import axe_playwright_python

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")


def troubles(page, selector):
    """The violations in what `selector` matches: each rule with what breaks it."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("async (part) => (await axe.run(part)).violations", selector)
    return [f"{each['id']}: {node['html'][:200]} {node['failureSummary']}" for each in found for node in each["nodes"]]
