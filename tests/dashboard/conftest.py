"""One server and one Chromium for all tests of the dashboard; a browser that is missing fails them.

``visit("/learn?seed=3")`` opens a page in a browser of its own, without a network, and at the end of the test sees to
it that nothing was asked of anybody else, that no answer was an error, and that no page failed.
"""

import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AXE = (Path(__file__).parent / "axe.min.js").read_text()
BLACK_HOLE = "http://127.0.0.1:9"  # what the server asks of the internet ends here
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
FOUND_WITHIN = 60_000  # ms, on a busy machine


@dataclass
class Server:
    """A dashboard in a process of its own."""

    process: subprocess.Popen
    said: list[str] = field(default_factory=list)
    reader: threading.Thread | None = None

    def listen(self):
        """Keep what it prints, until it ends."""
        told = threading.Event()

        def read():
            for line in self.process.stdout:
                self.said.append(line.rstrip())
                if "Ctrl-C ends it" in line:
                    told.set()
            told.set()

        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        if not told.wait(60) or self.process.poll() is not None:
            self.process.kill()
            pytest.fail("the dashboard did not start:\n" + "\n".join(self.said))
        return self

    def read(self, pattern):
        """What it printed at a place of the pattern, which may be on its way."""
        for _ in range(600):
            found = re.search(pattern, "\n".join(self.said))
            if found:
                return found[1]
            time.sleep(0.1)
        return pytest.fail(f"the dashboard did not say {pattern}:\n" + "\n".join(self.said))

    @property
    def url(self):
        """Its address, without a slash at the end."""
        return self.read(r"ecosim dashboard: (http://\S+)/ ")

    @property
    def teacher(self):
        """The teacher's link."""
        return self.read(r"(http://\S+/teach/\S+)")

    def push(self, line):
        """Write a line to it."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def end(self):
        """Ask it to end; its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self.reader.join(5)
            self.process.stdout.close()
            self.process.stdin.close()


def start(*options, script="from ecosim import cli; cli.main()"):
    """Start a dashboard on a free port."""
    command = [sys.executable, "-c", script, "dashboard", "--port", "0", "--no-browser", *options]
    env = {**os.environ, "HTTP_PROXY": BLACK_HOLE, "HTTPS_PROXY": BLACK_HOLE, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return Server(process).listen()


@pytest.fixture(scope="session")
def dashboard():
    """The server that tests share; it has the class TEST-1."""
    server = start("--class", "TEST-1")
    yield server
    server.end()


@pytest.fixture(scope="session")
def chromium(launch):
    """The system's Chromium, headless and without a network."""
    browser = launch(OFFLINE)
    yield browser
    browser.close()


class Faults(list):
    """What must not happen in a page."""

    def watch(self, page, url):
        """Write down what goes wrong in a page of the server at an address."""
        inside = (url, "data:", "blob:", url.replace("http:", "ws:"))
        page.on("request", lambda asked: asked.url.startswith(inside) or self.append(f"asked {asked.url}"))
        page.on("websocket", lambda opened: opened.url.startswith(inside) or self.append(f"asked {opened.url}"))
        page.on("response", lambda got: got.status < 400 or self.append(f"{got.status} for {got.url}"))
        page.on("requestfailed", lambda lost: "ERR_ABORTED" in str(lost.failure) or self.append(f"lost {lost.url}"))
        page.on("pageerror", lambda error: self.append(f"page error: {error}"))


def open_page(browser, server, path="/", script="", **options):
    """A page of a browser of its own that has drawn its heading, and the faults that happen in it.

    ``script`` is run in it before anything else.
    """
    context = browser.new_context(viewport={"width": 1366, "height": 768}, **options)
    context.add_init_script(script)
    context.set_default_timeout(FOUND_WITHIN)
    page, faults = context.new_page(), Faults()
    faults.watch(page, server.url)
    page.goto(path if path.startswith("http") else server.url + path)
    page.wait_for_selector("#main h1")
    page.wait_for_selector("header.bar")  # a component of its own, which may come after the page
    return page, faults


@pytest.fixture
def visit(chromium, dashboard):
    """Open a page of the shared server in a browser of its own; nothing in it may go wrong."""
    opened = []

    def visit_(path="/", **options):
        opened.append(open_page(chromium, dashboard, path, **options))
        return opened[-1][0]

    yield visit_
    for page, _ in opened:
        page.context.close()
    assert [fault for _, faults in opened for fault in faults] == []


def audit(page):
    """What axe-core finds serious or critical in a page, as readable lines."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {fault['help']}: {node['html'][:160]}"
        for fault in found
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]
