"""A class at the dashboard: thirty real websockets open the page Explore and move a slider.

    python benchmarks/dashboard.py [--sessions 30] [--seconds 30]

A session here does what a browser does: it asks for the page, opens the websocket, runs the page, and moves the slider
Severity; an answer has come when the chart's next picture has. What drawing costs in the browser is not in it. "Same"
is a class that asks for the same worlds, "own" one where every session has another seed, so nothing is shared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect

SLIDER = "Severity"
LOST = 30.0  # seconds after which an answer is lost
LEVELS = range(0, 101, 5)
ELSEWHERE = 37  # where no slider stands: one that is there already gets no picture


class Pupil:
    """A session without a browser."""

    def __init__(self, url: str, query: str) -> None:
        self.url, self.query = url, query
        self.kernel, self.page = str(uuid.uuid4()), str(uuid.uuid4())
        self.received = 0
        self.slider = ""
        self.pictures: asyncio.Queue[float] = asyncio.Queue()
        self.line: ClientConnection

    async def open(self) -> float:
        """Seconds until the first picture."""
        begun = time.perf_counter()
        cookie = await asyncio.to_thread(self._ask)
        address = self.url.replace("http", "ws", 1)
        self.line = await connect(
            f"{address}/jupyter/api/kernels/{self.kernel}/channels?session_id={self.page}",
            additional_headers={"Cookie": cookie}, origin=self.url, max_size=None, ping_interval=None,
        )  # fmt: skip
        self.reader = asyncio.create_task(self._read())
        control = uuid.uuid4().hex
        await self._send("comm_open", comm_id=control, target_name="solara.control", data={})
        run = {"path": f"/?{self.query}", "dark": False, "themes": {"light": {}, "dark": {}}, "appName": None}
        await self._send("comm_msg", comm_id=control, data={"method": "run", "args": run})
        return await self._picture() - begun

    def _ask(self) -> str:
        with urllib.request.urlopen(f"{self.url}/?{self.query}", timeout=60) as answer:
            self.received += len(answer.read())
            return "; ".join(cookie.partition(";")[0] for cookie in answer.headers.get_all("Set-Cookie"))

    async def _send(self, kind: str, **content: Any) -> None:
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self.page, "username": "", "version": "5.2"}
        message = {"header": header, "content": content, "channel": "shell", "metadata": {}, "parent_header": {}}
        await self.line.send(json.dumps(message | {"buffers": []}))

    async def _read(self) -> None:
        async for frame in self.line:
            self.received += len(frame)
            if isinstance(frame, bytes):
                continue
            message = json.loads(frame)
            content = message["content"]
            data = content.get("data")
            state = data.get("state", {}) if isinstance(data, dict) else {}
            if state.get("option"):
                self.pictures.put_nowait(time.perf_counter())
            if message["header"]["msg_type"] == "comm_open" and SLIDER in state.get("given", "") and not self.slider:
                self.slider = content["comm_id"]

    async def _picture(self) -> float:
        return await asyncio.wait_for(self.pictures.get(), LOST)

    async def move(self, level: int) -> float:
        """Seconds from a move of the slider to the picture."""
        while not self.pictures.empty():
            self.pictures.get_nowait()
        begun = time.perf_counter()
        moved = {"event": "change", "data": [SLIDER, level]}
        await self._send("comm_msg", comm_id=self.slider, data={"method": "custom", "content": moved})
        return await self._picture() - begun

    async def close(self) -> None:
        """Leave."""
        await self.line.close()
        self.reader.cancel()


async def gathered(works: list[Any]) -> tuple[list[float], int]:
    """Seconds of those that came to an end, and how many were lost."""
    found = await asyncio.gather(*works, return_exceptions=True)
    for error in {repr(each) for each in found if isinstance(each, BaseException)}:
        print(f"  lost: {error}")
    return [each for each in found if not isinstance(each, BaseException)], sum(
        isinstance(each, BaseException) for each in found
    )


async def paced(pupils: list[Pupil], seconds: float, level: Callable[[int, int], int]) -> tuple[list[float], int]:
    """Every session moves its slider every two seconds or so."""
    waits = np.random.default_rng(1)
    end = time.perf_counter() + seconds

    async def one(number: int, pupil: Pupil) -> tuple[list[float], int]:
        took, lost, step = [], 0, 0
        await asyncio.sleep(waits.uniform(0, 2))
        while time.perf_counter() < end:
            step += 1
            try:
                took.append(await pupil.move(level(number, step)))
            except TimeoutError:
                lost += 1
            await asyncio.sleep(waits.uniform(1.5, 2.5))
        return took, lost

    each = await asyncio.gather(*(one(number, pupil) for number, pupil in enumerate(pupils)))
    return [seconds for took, _ in each for seconds in took], sum(lost for _, lost in each)


def worked(server: psutil.Process) -> tuple[float, float]:
    """Seconds of processor that the server has used, and its workers."""
    own = server.cpu_times()
    workers = [process.cpu_times() for process in server.children(recursive=True)]
    return own.user + own.system, sum(times.user + times.system for times in workers)


def told(what: str, seconds: list[float], lost: int) -> None:
    """Print a line of the table."""
    half, late, most = np.percentile(np.array(seconds) * 1000, [50, 95, 100]) if seconds else (np.nan,) * 3
    print(f"| {what} | {len(seconds):,} | {half:,.0f} | {late:,.0f} | {most:,.0f} | {lost} |", flush=True)


def resident(server: psutil.Process) -> int:
    """Memory of the server alone, without its workers."""
    return server.memory_info().rss


async def measure(url: str, server: psutil.Process, sessions: int, seconds: float) -> None:
    """Everything, in one table."""
    print(f"{sessions} sessions, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n")
    print("| what | answers | median ms | p95 ms | slowest ms | lost |\n|---|---|---|---|---|---|")
    first = Pupil(url, "")
    told("the first page of all", *await gathered([first.open()]))
    await first.close()
    await asyncio.sleep(2)
    before = resident(server)
    pupils = [Pupil(url, "") for _ in range(sessions)]
    begun = time.perf_counter()
    told("opened at once, same world", *await gathered([pupil.open() for pupil in pupils]))
    opened = time.perf_counter() - begun
    try:
        await asyncio.to_thread(urllib.request.urlopen, url, timeout=30)
        beyond = 200
    except urllib.error.HTTPError as error:
        with error:
            beyond = error.code
    grown = (resident(server) - before) / sessions
    sent = np.mean([pupil.received for pupil in pupils])
    used = worked(server)
    same = await paced(pupils, seconds, lambda _, step: LEVELS[step % len(LEVELS)])
    cost_same = [1000 * (now - then) / len(same[0]) for now, then in zip(worked(server), used, strict=True)]
    told("paced, same", *same)
    told("all at once, same", *await gathered([pupil.move(ELSEWHERE) for pupil in pupils]))
    after = (resident(server) - before) / sessions
    for pupil in pupils:
        await pupil.close()
    await asyncio.sleep(2)
    pupils = [Pupil(url, f"seed={100 + number}") for number in range(sessions)]
    told("opened at once, own worlds", *await gathered([pupil.open() for pupil in pupils]))
    used = worked(server)
    own = await paced(pupils, seconds, lambda number, step: LEVELS[(3 * number + step) % len(LEVELS)])
    cost_own = [1000 * (now - then) / len(own[0]) for now, then in zip(worked(server), used, strict=True)]
    told("paced, own", *own)
    told("all at once, own", *await gathered([pupil.move(ELSEWHERE) for pupil in pupils]))
    for pupil in pupils:
        await pupil.close()
    print(f"\nall open after {opened:.1f} s; one more is answered {beyond}; {sent / 1000:,.0f} kB to each to open;")
    for what, (served, lived) in (("same", cost_same), ("own", cost_own)):
        print(f"{what}: {served:.0f} ms of processor in the server for a move, {lived:.0f} ms in its workers;")
    print(f"{grown / 1e6:.1f} MB of the server for each session when open, {after / 1e6:.1f} MB after moving")


def main() -> None:
    """Start a server and measure it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    command = [sys.executable, "-m", "ecosim", "dashboard", "--port", "0", "--no-browser"]
    options = ["--max-sessions", str(given.sessions)]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+[^/\s]", server.stdout.readline())
        assert found is not None, "the dashboard did not start"
        try:
            time.sleep(5)  # its workers load the model
            asyncio.run(measure(found[0], psutil.Process(server.pid), given.sessions, given.seconds))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
