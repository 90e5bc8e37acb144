# first_hour.sh and a Moonraker that is not there, not one, silent, or does not let everybody in
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from scripts.owner.first_hour import command, moonraker
from scripts.owner.first_hour.errors import CommandFailed, Paused, TrialError
from scripts.owner.first_hour.moonraker import Moonraker, Place, find_places, parse_place
from scripts.owner.first_hour.printer import Printer

KEY = "0123456789abcdef0123456789abcdef"
READY = {"klippy_connected": True, "klippy_state": "ready"}


def result(value):
    return 200, json.dumps({"result": value}).encode()


def error(code, message):
    return code, json.dumps({"error": {"code": code, "message": message}}).encode()


@contextmanager
def serving(answers, key=""):
    """A server with these answers by path; yields its place and what was asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            path = urlsplit(self.path).path
            asked.append((self.command, path))
            status, body = answers.get(path, error(404, "Not Found"))
            if key and self.headers.get("X-Api-Key") != key:
                status, body = error(401, "Unauthorized")
            if callable(body):
                body = body()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Place(False, "127.0.0.1", server.server_port, ""), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def no_key():
    raise AssertionError("nobody has asked for a key")


def client(place, ask_key=no_key):
    return Moonraker(place, ask_key)


@contextmanager
def listening(action):
    """A socket that does something with each connection, but speaks no HTTP."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(5)

        def serve():
            connection, _ = listener.accept()
            with connection:
                action(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Place(False, "127.0.0.1", listener.getsockname()[1], "")
        thread.join()


def run_command(place, tmp_path, capsys):
    code = command.main(["--moonraker", place.url, "--bundle", str(tmp_path / "b")])
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1, said.err
    assert said.err.startswith("first_hour: ")
    return code, said.err


def test_no_moonraker_is_one_line(tmp_path, capsys):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = Place(False, "127.0.0.1", unused.getsockname()[1], "")
        code, said = run_command(place, tmp_path, capsys)
    assert code == 3
    assert "no Moonraker answers at http://127.0.0.1:" in said
    assert "take it up again" in said


@pytest.mark.parametrize("body", [b"<html>It works!</html>", b"[1, 2]", b"{}", b"\xff\xfe", b""])
def test_another_server_is_one_line(body, tmp_path, capsys):
    with serving({"/server/info": (200, body)}) as (place, _):
        code, said = run_command(place, tmp_path, capsys)
    assert code == 3
    assert "is no Moonraker: give its address with --moonraker" in said


def test_what_speaks_no_http_is_one_line(tmp_path, capsys):
    with listening(lambda connection: connection.sendall(b"\0" * 1000 + b"\r\n")) as place:
        code, said = run_command(place, tmp_path, capsys)
    assert code == 3
    assert "broke off, or what answers there is none" in said


def test_a_long_silence_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(moonraker, "ANSWER_TIMEOUT_S", 0.1)
    with listening(lambda connection: time.sleep(0.3)) as place:
        code, said = run_command(place, tmp_path, capsys)
    assert code == 3
    assert "has not answered for" in said


@pytest.mark.parametrize(
    "answers, expected",
    [
        (
            {"/server/info": result({"klippy_connected": False, "klippy_state": "disconnected"})},
            "Klipper is not ready (disconnected): start it with",
        ),
        (
            {
                "/server/info": result({"klippy_connected": True, "klippy_state": "shutdown"}),
                "/printer/info": result({"state_message": "Lost communication\nwith 'z1'\n"}),
            },
            "Klipper is not ready (shutdown): Lost communication",
        ),
        (
            {"/server/info": error(503, "Klippy Host not connected")},
            "Klipper is not connected to Moonraker (Klippy Host not connected)",
        ),
    ],
)
def test_klipper_that_is_not_ready_is_one_line(answers, expected, tmp_path, capsys):
    with serving(answers) as (place, _):
        code, said = run_command(place, tmp_path, capsys)
    assert code == 3
    assert expected in said


def test_key_is_asked_for_once_and_sent():
    keys = [KEY + "\n"]
    with serving({"/server/info": result(READY)}, KEY) as (place, _):
        found = client(place, keys.pop)
        assert found.get("/server/info") == READY
        assert found.get("/server/info") == READY
    assert keys == []


@pytest.mark.parametrize(
    "key, expected",
    [
        ("f" * 32, "refuses the API key"),
        ("", "that is no API key"),
        ("a\r\nHost: elsewhere", "that is no API key"),
        ("Schlüssel", "that is no API key"),
    ],
)
def test_wrong_key_is_one_line(key, expected):
    with serving({"/server/info": result(READY)}, KEY) as (place, asked):
        with pytest.raises(TrialError, match=expected):
            client(place, lambda: key).get("/server/info")
    assert len(asked) <= 2


@pytest.mark.parametrize(
    "message",
    ["Must home axis first", "{'error': 'WebRequestError', 'message': 'Must home axis first'}"],
)
def test_refused_command_has_klippers_own_words(message):
    with serving({"/printer/gcode/script": error(400, message)}) as (place, _):
        with pytest.raises(CommandFailed, match="^Must home axis first$"):
            client(place).run("G1 X1")


def interrupted(place, monkeypatch):
    """The printer of a client whose commands the owner interrupts."""

    def interrupt(script):
        raise KeyboardInterrupt

    found = client(place)
    monkeypatch.setattr(found, "run", interrupt)
    return Printer(found)


def test_interrupted_command_stops_the_printer_at_once(monkeypatch):
    store = result({"gcode_store": []})
    answers = {"/server/gcode_store": store, "/printer/emergency_stop": result("ok")}
    with serving(answers) as (place, asked):
        with pytest.raises(Paused, match="FIRMWARE_RESTART"):
            interrupted(place, monkeypatch).run("G28")
    assert asked[-1] == ("POST", "/printer/emergency_stop")


def test_interrupted_command_says_when_the_printer_cannot_be_stopped(monkeypatch):
    with serving({"/server/gcode_store": result({"gcode_store": []})}) as (place, _):
        with pytest.raises(Paused, match="may still move, switch it off"):
            interrupted(place, monkeypatch).run("G28")


def test_output_of_a_command_is_what_came_after_it_began():
    old = {"message": "// old", "time": 1.0, "type": "response"}
    entries = [
        old,
        {"message": "PROBE", "time": 2.0, "type": "command"},
        {"message": "// first\n// second", "time": 3.0, "type": "response"},
    ]
    before = json.dumps({"result": {"gcode_store": [old]}}).encode()
    after = json.dumps({"result": {"gcode_store": entries}}).encode()
    bodies = [after, before]
    answers = {
        "/server/gcode_store": (200, bodies.pop),
        "/printer/gcode/script": result("ok"),
    }
    with serving(answers) as (place, _):
        assert Printer(client(place)).run("PROBE") == ["first", "second"]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("printer.local", (False, "printer.local", 7125, "")),
        ("http://10.0.0.2:7126/", (False, "10.0.0.2", 7126, "")),
        ("https://example.org/moon", (True, "example.org", 443, "/moon")),
        ("[::1]:7125", (False, "::1", 7125, "")),
    ],
)
def test_address_is_read(text, expected):
    assert parse_place(text) == expected


@pytest.mark.parametrize(
    "text", ["", "ftp://a", "http://", "a:b", "a:99999", "http://:1", "a:0", "[::1"]
)
def test_bad_address_is_one_line(text):
    with pytest.raises(TrialError, match="is no address of a Moonraker"):
        parse_place(text)


def test_moonraker_is_found_by_its_configuration(tmp_path):
    folder = tmp_path / "printer_data" / "config"
    folder.mkdir(parents=True)
    (folder / "moonraker.conf").write_text("[server]\nhost: 0.0.0.0\nport: 7200\n[x]\nport: 1\n")
    second = tmp_path / "printer_2_data" / "config"
    second.mkdir(parents=True)
    (second / "moonraker.conf").write_bytes(b"[authorization]\nport: 7\n\xff")
    assert [place.port for place in find_places(tmp_path)] == [7200, 7125]


def test_folder_that_cannot_be_made_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert command.main(["--bundle", str(tmp_path / "file" / "b")]) == 2
    assert capsys.readouterr().err.startswith("first_hour: cannot write to ")
