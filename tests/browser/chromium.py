"""A real Chromium, with a profile of its own."""

import os
import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
]


def find_browser():
    """The Chromium that is installed; `tests/run` names it."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return next((path for path in map(shutil.which, filter(None, names)) if path), None)


@contextmanager
def watched(browser, patience, *, may_err=False):
    """A page that asks no other host for anything, and in which no script fails unless it `may_err`."""
    page = guarded(browser.new_page())
    page.set_viewport_size({"width": 1300, "height": 1000})
    page.set_default_timeout(patience * 1000)
    yield page
    page.close()
    assert page.strangers == [] and (may_err or page.errors == [])


@contextmanager
def chromium(profile, **options):
    """A browser's context; `options` are those of Playwright."""
    path = find_browser()
    assert path, "the browser tests need Chromium or Chrome: `bash tests/run` installs it, or says how"
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=path, args=ARGUMENTS, **options
        )
        yield context
        context.close()


def guarded(page):
    """`page`, on which whatever is asked of another host than this one fails and is kept in `page.strangers`;
    `page.errors` has the errors of its scripts."""
    page.strangers, page.errors = [], []

    def route(route):
        url = route.request.url
        host = url.split("/")[2].split(":")[0] if "//" in url else ""
        if url.startswith(("data:", "blob:", "file:")) or host in ("127.0.0.1", "localhost"):
            return route.continue_()
        page.strangers.append(url)
        return route.abort()

    page.route("**/*", route)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    return page
