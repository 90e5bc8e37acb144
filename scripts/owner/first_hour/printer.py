# What the trial asks of a printer and has it do
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

from printer_config.config import Config
from printer_config.section import Section

from .errors import CommandFailed, Paused, TrialError
from .moonraker import Moonraker

READY_TIMEOUT_S = 90.0
_LOOK_AGAIN_S = 1.0
_OUTPUT_LINES = 200
RESYNC = "multi_mcu_resync"
_MCU = re.compile(r"mcu( \S+)?$")


class Printer:
    """A printer behind a Moonraker."""

    def __init__(self, moonraker: Moonraker) -> None:
        self._moonraker = moonraker
        self._mcu_objects: List[str] = []

    def require_ready(self) -> None:
        """Raise TrialError with Klipper's own reason if it is not ready."""
        state, message = self._state()
        if state != "ready":
            raise TrialError("Klipper is not ready (%s): %s" % (state, message))

    def _state(self) -> Tuple[str, str]:
        info = self._moonraker.get("/server/info")
        state = str(info.get("klippy_state", "disconnected"))
        if state == "ready" or not info.get("klippy_connected"):
            return state, "start it with: sudo systemctl restart klipper"
        try:
            message = str(self._moonraker.get("/printer/info").get("state_message", ""))
        except CommandFailed as e:
            message = str(e)
        lines = [line.strip() for line in message.splitlines() if line.strip()]
        return state, lines[0] if lines else "see klippy.log"

    def status(self, *names: str) -> Dict[str, Dict[str, Any]]:
        """The status of printer objects, those that there are; raises TrialError."""
        try:
            answer = self._moonraker.get("/printer/objects/query", **dict.fromkeys(names, ""))
        except CommandFailed as e:
            raise TrialError("Klipper says nothing of its state: %s" % (e,)) from None
        return dict(answer["status"])

    def resync(self) -> Dict[str, Any]:
        """The status of the extra; empty where it is not loaded."""
        return self.status(RESYNC).get(RESYNC, {})

    def mcus(self) -> Dict[str, Dict[str, Any]]:
        """The status of each MCU by the name that pins use."""
        if not self._mcu_objects:
            self._mcu_objects = [name for name in self._objects() if _MCU.match(name)]
        return {name.split()[-1]: one for name, one in self.status(*self._mcu_objects).items()}

    def _objects(self) -> List[str]:
        try:
            found = self._moonraker.get("/printer/objects/list")["objects"]
            return [str(name) for name in found]
        except CommandFailed as e:
            raise TrialError("Klipper says nothing of its state: %s" % (e,)) from None

    def config(self) -> Config:
        """printer.cfg as Klipper has read it, with all that it includes."""
        found = Config("printer.cfg")
        raw = self.status("configfile")["configfile"]["config"]
        for name, options in raw.items():
            section = Section(str(name), "printer.cfg")
            section.options.update({str(k): (str(v), "printer.cfg") for k, v in options.items()})
            found.sections[section.name] = section
        return found

    def endstops(self) -> Dict[str, bool]:
        """Whether each endstop is triggered, by its axis; raises CommandFailed."""
        answer = self._moonraker.get("/printer/query_endstops/status")
        return {str(name): str(state).lower() == "triggered" for name, state in answer.items()}

    def probe_is_triggered(self) -> bool:
        """What the probe reads; raises CommandFailed."""
        self.run("QUERY_PROBE")
        return bool(self.status("probe")["probe"].get("last_query"))

    def run(self, *commands: str) -> List[str]:
        """Run G-code to its end and return what Klipper said meanwhile.

        Raises CommandFailed. If the owner interrupts it, the printer is stopped at once.
        """
        before_s = max((entry["time"] for entry in self._output(1)), default=0.0)
        try:
            self._moonraker.run("\n".join(commands))
        except KeyboardInterrupt:
            self._stop_at_once()
        said = [one for one in self._output(_OUTPUT_LINES) if one["time"] > before_s]
        messages = [str(one["message"]) for one in said if one.get("type") == "response"]
        return [line.lstrip("/ ") for message in messages for line in message.split("\n")]

    def _stop_at_once(self) -> None:
        try:
            self._moonraker.post("/printer/emergency_stop")
        except (TrialError, CommandFailed) as e:
            raise Paused(
                "the printer may still move, switch it off (no emergency stop: %s)" % (e,)
            ) from None
        raise Paused("stopped at once (emergency stop): FIRMWARE_RESTART before you go on")

    def _output(self, count: int) -> List[Dict[str, Any]]:
        return list(self._moonraker.get("/server/gcode_store", count=str(count))["gcode_store"])

    def restart(self) -> None:
        """RESTART, and wait until Klipper is ready; raises TrialError."""
        self._mcu_objects = []
        self._moonraker.post("/printer/restart")
        waited_s = 0.0
        while waited_s < READY_TIMEOUT_S:
            self.pause(_LOOK_AGAIN_S)
            waited_s += _LOOK_AGAIN_S
            state, _ = self._state()
            if state == "ready" and waited_s > 2 * _LOOK_AGAIN_S:
                return
            if state == "error":
                break
        self.require_ready()

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self._moonraker.pause(seconds)

    def versions(self) -> Dict[str, str]:
        """The versions of all programs by their names."""
        server, printer = (self._moonraker.get(p) for p in ("/server/info", "/printer/info"))
        found = {
            "moonraker": str(server.get("moonraker_version", "")),
            "klipper": str(printer.get("software_version", "")),
        }
        for name, mcu in self.mcus().items():
            found["firmware of %s" % (name,)] = str(mcu.get("mcu_version", ""))
        return found

    def log(self) -> bytes:
        """klippy.log so far; raises TrialError."""
        try:
            return self._moonraker.download("/server/files/klippy.log")
        except TrialError as e:
            try:
                path = Path(str(self._moonraker.get("/printer/info").get("log_file", "")))
                return path.read_bytes()
            except (OSError, CommandFailed):
                raise e from None
