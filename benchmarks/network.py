"""A large economy in the browser: how soon its network is there, what is sent, and how smoothly days are scrubbed.

    python benchmarks/network.py [--firms 10000] [--days 180]

Needs the system's Chromium, which draws by software here: a machine with a graphics card is faster. "Known" is a page
whose answer somebody asked for before, so it leaves out the living; "first" is one that nobody asked for.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from typing import Any

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
DRAWN = ".net[data-ready]"
SCRUB = """async () => {
  const net = document.querySelector(".net").net, many = 60;
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  const begun = performance.now();
  for (let at = 0; at < many; at++) { net.setDay((at * 3) % net.days); await frame(); }
  return 1000 * many / (performance.now() - begun);
}"""


def opened(browser: Any, url: str) -> tuple[Any, float, int]:
    """A page, seconds until its network is drawn, and bytes that came by the websocket."""
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    received: list[int] = []
    page.on("websocket", lambda line: line.on("framereceived", lambda data: received.append(len(data))))
    begun = time.perf_counter()
    page.goto(url)
    page.wait_for_selector(DRAWN, timeout=300_000)
    return page, time.perf_counter() - begun, sum(received)


def measure(url: str, firms: int, days: int) -> None:
    """Print one table."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        opened(browser, f"{url}/")[0].close()  # the browser and the server have begun
        print(f"{firms:,} firms, {days} days, load {os.getloadavg()[0]:.1f} before\n")
        print("| page | seconds to the network | kB sent | days a second, scrubbed |\n|---|---|---|---|")
        for what in ("first", "known"):
            page, seconds, sent = opened(browser, f"{url}/?ecosystem=main_street&firms={firms}&days={days}")
            time.sleep(2)
            rate = page.evaluate(SCRUB)
            print(f"| {what} | {seconds:.1f} | {sent / 1000:,.0f} | {rate:.1f} |", flush=True)
            page.context.close()


def main() -> None:
    """Start a server and measure it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--firms", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=180)
    given = parser.parse_args()
    command = [sys.executable, "-m", "ecosim", "dashboard", "--port", "0", "--no-browser"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+[^/\s]", server.stdout.readline())
        assert found is not None, "the dashboard did not start"
        try:
            time.sleep(5)  # its workers load the model
            measure(found[0], given.firms, given.days)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
