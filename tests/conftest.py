"""Settings for every test: no window is opened, and property tests draw the same examples on every run."""

import os
import shutil
import signal
import sys

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib

settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


#: Files that live whole worlds, drive browsers or build documents. What is left is the unit suite: `-m "not slow"`.
SLOW = {
    "test_ablation", "test_analysis", "test_atlas", "test_cli", "test_conservation", "test_day", "test_docs",
    "test_judgement", "test_ledger", "test_lesson", "test_lesson_browser", "test_lineage", "test_policy_search",
    "test_report", "test_responses", "test_result", "test_study_kills", "test_verify",
}  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes long, file by file."""
    for item in items:
        if item.path.stem in SLOW or item.path.parent.name == "dashboard":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def playwright():
    """The driver of browsers. One for all tests: a second could not start beside it in the same thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver


#: Without these the browser would look for its maker's hosts, and could not start as root.
CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def launch(playwright):
    """Start the system's Chromium, headless, with more flags if given."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.fail("no Chromium: install the system's package chromium, or set CHROMIUM to its path")
    return lambda *flags: playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_FLAGS, *flags])


@pytest.fixture
def typed(monkeypatch, capsys, tmp_path):
    """Type a command in an empty folder; return (exit code, standard output, standard error)."""
    from ecosim import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(os, "_exit", sys.exit)  # what ends the command must not end the tests
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def type_(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ecosim", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    yield type_
    for number, handler in handlers.items():
        signal.signal(number, handler)
