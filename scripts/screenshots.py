"""Pictures of every page of the dashboard, for docs/screenshots: ``python scripts/screenshots.py [PAGE ...]``.

It starts a dashboard of its own and needs the system's Chromium. Look at what it made before you keep it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
FOUND = 240_000  # ms in which a page has found what it shows
SETTLED = 1_500  # ms in which what was found is drawn
WORKING = "document.querySelector('.working progress, .working [role=alert]')"
PAGES = {
    "explore": "/?ecosystem=main_street&firms=300&shock=outage&who=hubs&severity=80",
    "compare": "/compare",
    "atlas": "/atlas?atlas.cell=scale_free%7Ctown",
    "policy": "/policy",
    "learn": "/learn",
    "data": "/data?data.folder=runs%2Ftiny",
    "about": "/about",
}
#: What is there when a page has found what it shows.
SHOWN = {
    "explore": ".net[data-ready]",
    "phone": ".net[data-ready]",
    "projector": ".net[data-ready]",
    "compare": "h2:text('Who is better')",
    "policy": ".eco-chart canvas",
}
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


def pictures(url: str, names: list[str]) -> None:
    """Take every page as it is on a desk, and the first one on a phone and in projector mode."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))

        def take(path: str, name: str, width: int, height: int, *, whole: bool) -> None:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(url + path)
            page.wait_for_selector("#main h1", timeout=60_000)
            page.wait_for_timeout(SETTLED)
            page.wait_for_function(f"!{WORKING}", timeout=FOUND)
            if SHOWN.get(name):
                page.wait_for_selector(SHOWN[name], timeout=FOUND)
            page.wait_for_timeout(SETTLED)
            page.screenshot(path=FOLDER / f"{name}.png", full_page=whole)
            page.close()
            print(FOLDER / f"{name}.png")

        for name in names:
            take(PAGES[name], name, 1366, 900, whole=False)
        if "explore" in names:
            take(PAGES["explore"], "phone", 390, 844, whole=False)
            take(f"{PAGES['explore']}&projector=1", "projector", 1920, 1080, whole=False)
        browser.close()


def main() -> None:
    """Start a dashboard, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", choices=[[], *PAGES], metavar="PAGE")
    names = parser.parse_args().pages or list(PAGES)
    ecosim = [sys.executable, "-m", "ecosim"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with TemporaryDirectory() as temporary:
        place = Path(temporary) / "town"
        place.mkdir()
        subprocess.run([*ecosim, "run", "tiny", "--quiet"], cwd=place, check=True)  # so that there are data to look at
        command = [*ecosim, "dashboard", "--port", "0", "--no-browser"]
        with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True, env=environment) as server:
            _take(server, names)


def _take(server: subprocess.Popen[str], names: list[str]) -> None:
    try:
        assert server.stdout is not None
        found = re.search(r"http://[\w.:]+", server.stdout.readline())
        if found is None:
            sys.exit("the dashboard did not start")
        pictures(found[0], names)
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
