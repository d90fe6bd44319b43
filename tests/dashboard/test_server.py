"""The server without a page: who is let in, which headers answers have, what lies on disk, how it begins and ends."""

import hashlib
import re
import socket
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboards import guard, places, serve

from .conftest import open_page, start

VENDORED = serve.VENDOR / "VENDORED.md"


def asked(url, **headers):
    """Status, headers and text of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


# Files ----------------------------------------------------------------------------------------------------------------


def test_every_vendored_file_is_the_one_that_is_written_down_and_has_its_licence():
    rows = re.findall(r"^\| `(.+?)` \|.*?\| ([0-9a-f]{16}) \| (.+?) \|$", VENDORED.read_text(), re.MULTILINE)
    there = {path.relative_to(serve.VENDOR).as_posix() for path in serve.VENDOR.rglob("*") if path.is_file()}
    licences = {name for name in there if name.startswith("licences/")}
    assert {name for name, _, _ in rows} == there - licences - {"VENDORED.md"}
    for name, digest, _ in rows:
        assert hashlib.sha256((serve.VENDOR / name).read_bytes()).hexdigest()[:16] == digest, name
    named = set(re.findall(r"`([\w.-]+\.txt)`", VENDORED.read_text()))
    assert {f"licences/{name}" for name in named} <= licences


def test_nothing_on_disk_weighs_down_the_wheel():
    total = sum(path.stat().st_size for path in serve.HERE.rglob("*") if path.suffix not in {".pyc", ".nbi", ".nbc"})
    assert total < 8_000_000


def test_a_page_of_solara_that_has_changed_is_told():
    with pytest.raises(RuntimeError, match="'<html>' is there 0 times"):
        serve.dressed("<!doctype html><p>another page")


# Who is let in --------------------------------------------------------------------------------------------------------


@pytest.fixture
def kernels(monkeypatch):
    """Kernels that live, by name."""
    live = {}
    monkeypatch.setattr(places, "_kernels", lambda: dict(live))
    return live


def test_a_place_is_held_from_the_page_to_the_end_of_its_websocket(kernels):
    room = places.Places(2)
    assert room.admit()
    assert room.admit()
    assert not room.admit(), "two are on their way"
    assert room.enter("a")
    assert room.enter("b")
    assert not room.admit()
    room.leave("a")
    assert room.admit()
    assert room.free() == 0


def test_a_page_that_never_came_gives_its_place_back(kernels, monkeypatch):
    room = places.Places(1)
    assert room.admit()
    now = time.monotonic()
    monkeypatch.setattr(places.time, "monotonic", lambda: now + places.TICKET + 1)
    assert room.admit()


def test_a_websocket_without_a_page_finds_no_place_when_it_is_full(kernels):
    room = places.Places(1)
    assert room.enter("a")
    assert not room.enter("b")
    assert room.enter("a"), "a second websocket of the same page"
    kernels["c"] = object()
    assert room.enter("c"), "one that lost its network comes back to what it had"


def test_one_browser_takes_four_places_and_a_teacher_always_finds_one(kernels):
    room = places.Places(6)
    assert all(room.enter(name, "pupil") for name in "abcd")
    assert room.taken("pupil")
    assert not room.enter("e", "pupil")
    assert room.enter("a", "pupil"), "a second websocket of the same page"
    room.leave("a")
    room.leave("a")
    assert not room.taken("pupil")
    assert all(room.enter(name) for name in "xyz"), "without a name, browsers cannot be told apart"
    assert not room.admit()
    assert not room.enter("w", "teacher")
    assert room.admit(always=True)
    assert room.enter("w", "teacher")


def test_sessions_without_a_browser_end_when_memory_is_needed(kernels):
    room = places.Places(2)
    kernels.update(a="A", b="B")
    assert room.enter("a")
    assert room.forsaken() == ["B"]
    assert room.forsaken() == [], "it is being ended"
    kernels.pop("b")
    assert room.forsaken() == []


# Headers and hosts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/learn", "/static/assets/style.css", "/_solara/cdn/requirejs@2.3.6/require.js"])
def test_every_answer_has_the_security_headers(dashboard, path):
    _, headers, _ = asked(dashboard.url + path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "https:" not in policy, "nothing from elsewhere"
    assert "Server" not in headers


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [("/", "evil.example", 421), ("/", 'x"y', 421), ("/static/%00", None, 404), ("/_solara/cdn/%00", None, 404),
     ("/nothing", None, 404), ("/readyz/x", None, 404)],
)  # fmt: skip
def test_every_refusal_has_them_too(dashboard, path, host, status):
    found, headers, _ = asked(dashboard.url + path, **({"Host": host} if host else {}))
    assert found == status
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "evil" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "header", [{"X-Script-Name": "/evil"}, {"Script-Name": "/evil"},
               {"X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.example"}],
)  # fmt: skip
def test_nobody_says_for_all_where_the_server_is(dashboard, header):
    status, _, text = asked(dashboard.url, **header)
    assert status == 200
    assert "evil" not in text


def test_a_page_is_closed_by_its_name(dashboard):
    url = f"{dashboard.url}/_solara/api/close/x"
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30)
    refused.value.close()


def test_the_page_has_a_language_can_be_enlarged_and_hides_its_session_from_scripts(dashboard):
    _, headers, text = asked(dashboard.url)
    assert '<html lang="en">' in text
    assert "user-scalable=no" not in text
    assert headers["Cache-Control"] == "no-store"
    cookies = headers.get_all("Set-Cookie")
    assert cookies
    assert all("httponly" in cookie.lower() for cookie in cookies)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1;x", "localhost/x"])
def test_a_name_that_somebody_else_pointed_here_is_refused(dashboard, host):
    assert asked(dashboard.url, Host=host)[0] == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8765"])
def test_its_own_names_are_not(dashboard, host):
    assert asked(dashboard.url + "/static/assets/style.css", Host=host)[0] == 200


@pytest.mark.parametrize(("origin", "first"), [("http://evil.example", "403"), (None, "101")])
def test_a_websocket_from_another_site_is_refused(dashboard, origin, first):
    host = dashboard.url.removeprefix("http://")
    lines = [
        "GET /jupyter/api/kernels/of-a-test/channels?session_id=1 HTTP/1.1", f"Host: {host}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        f"Origin: {origin or dashboard.url}", "", "",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", int(host.partition(":")[2])), timeout=20) as line:
        line.sendall("\r\n".join(lines).encode())
        assert line.recv(64).split()[1] == first.encode()


def connected(server):
    """A websocket of the server's, of a kernel of its own."""
    url = server.url.replace("http:", "ws:")
    return connect(f"{url}/jupyter/api/kernels/{uuid.uuid4()}/channels?session_id=1", origin=server.url)


@pytest.mark.parametrize("said", ["", "{", "null", "[]", '{"header": {}}', b"\0", "[" * 100_000])
def test_a_message_that_cannot_be_read_is_told_in_a_line(dashboard, said):
    before = len(dashboard.said)
    with connected(dashboard) as line:
        line.send(said)
        for _ in line:
            pass  # until the server ends it
    deadline = time.monotonic() + 20
    while not any("cannot be read" in told for told in dashboard.said[before:]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [told for told in dashboard.said[before:] if "a browser sent what cannot be read, and was left" in told]
    assert not [told for told in dashboard.said[before:] if "Traceback" in told]


def test_a_message_that_is_too_long_ends_its_connection_alone(dashboard):
    with connected(dashboard) as line:
        line.send("x" * (serve.LONGEST + 1))
        with pytest.raises(ConnectionClosed, match="1009"):
            line.recv(timeout=20)
    assert asked(dashboard.url)[0] == 200


@pytest.mark.parametrize(("host", "name"), [("A:1", "a"), ("[::1]:80", "::1"), ("a", "a")])
def test_the_name_in_a_host(host, name):
    assert guard._name(host) == name


@pytest.mark.parametrize(
    "path", ["/_solara/cdn/../serve.py", "/_solara/cdn/%2e%2e/serve.py", "/_solara/cdn/none@1.0.0/x.js",
             "/static/assets/..%2fserve.py", "/resourcez", "/teach/guess", "/nothing"],
)  # fmt: skip
def test_what_is_not_meant_to_be_read_is_not_there(dashboard, path):
    status, _, text = asked(dashboard.url + path)
    assert status == 404, text[:100]


# Begin and end --------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told(typed):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, out, err = typed("dashboard", "--port", str(port), "--no-browser")
    assert (code, out) == (2, "")
    assert f"--port {port}: another program answers there" in err
    assert f"such as --port {port + 1}" in err


def test_of_two_that_bind_at_once_the_second_is_told():
    with serve.bind("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        serve.bind("127.0.0.1", first.getsockname()[1])


def test_a_worker_that_was_killed_is_replaced(dashboard, visit):
    visit("/?seed=70").get_by_text("of 20: ").first.wait_for(state="attached")
    family = psutil.Process(dashboard.process.pid).children(recursive=True)
    worker = max((one for one in family if not one.children()), key=lambda one: one.memory_info().rss)
    worker.kill()  # the small one is multiprocessing's own
    psutil.wait_procs([worker], timeout=10)
    visit("/?seed=71").get_by_text("of 20: ").first.wait_for(state="attached")


def test_an_address_of_another_machine_is_told(typed):
    code, _, err = typed("dashboard", "--host", "192.0.2.1", "--port", "0", "--no-browser")
    assert code == 2
    assert "--host 192.0.2.1 --port 0: cannot listen there" in err


def test_a_class_code_that_cannot_be_one_is_told(typed):
    code, _, err = typed("dashboard", "--class", "x!", "--port", "0", "--no-browser")
    assert code == 2
    assert "--class 'x!': a class code is 3 to 20" in err


def test_it_listens_to_this_machine_alone_unless_told(dashboard):
    lines = psutil.Process(dashboard.process.pid).net_connections("inet")
    assert [line.laddr.ip for line in lines if line.status == "LISTEN"] == ["127.0.0.1"]


def test_the_wheel_has_it_inside_the_package(monkeypatch):
    from ecosim.commands import dashboard as command

    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "ecosim.dashboards.serve", serve)
    assert command._house() is serve
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert command._house() is serve
    project = Path(__file__).parents[2].joinpath("pyproject.toml").read_text()
    assert '"dashboards" = "ecosim/dashboards"' in project


def test_the_next_is_told_that_the_class_is_full_and_the_end_is_orderly(chromium):
    server = start("--max-sessions", "1")
    try:
        page, faults = open_page(chromium, server)
        status, headers, text = asked(server.url)
        assert status == 503
        assert int(headers["Retry-After"]) > 0
        assert "The class is full" in text
        assert "All 1 places are taken" in text
        page.goto("about:blank")
        deadline = time.monotonic() + 20
        while (status := asked(server.url)[0]) == 503 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert status == 200, "a closed page frees its place"
        page.context.close()
        assert faults == []
        family = psutil.Process(server.process.pid).children(recursive=True)
        assert family, "its workers"
    finally:
        code = server.end()
    assert code in {-15, 143}, "ended as it was asked to"
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert "Traceback" not in "\n".join(server.said)
