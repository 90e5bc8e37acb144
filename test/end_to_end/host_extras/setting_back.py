# Wraps the host's functions and sets them back, before and after all others
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.


class SettingBack:
    cmd_SET_BACK_help = "Set the functions back as they were at the start"
    cmd_WRAP_help = "Wrap the functions once more"

    def __init__(self, config):
        self.printer = config.get_printer()
        self.found = []
        # Or those of the objects themselves
        self.is_in_class = config.getboolean("in_class", False)
        self.calls = set()
        self.printer.register_event_handler("klippy:connect", self.wrap_all)
        gcode = self.printer.lookup_object("gcode")
        gcode.register_command("SET_BACK", self.cmd_SET_BACK, desc=self.cmd_SET_BACK_help)
        gcode.register_command("WRAP", self.cmd_WRAP, desc=self.cmd_WRAP_help)

    def wrap_all(self):
        toolhead = self.printer.lookup_object("toolhead")
        self.wrap(toolhead, "set_position")
        self.wrap(toolhead.get_kinematics(), "check_move")
        self.wrap(self.printer.lookup_object("force_move"), "manual_move")

    def wrap(self, owner, name):
        owner = type(owner) if self.is_in_class else owner
        original = getattr(owner, name)

        def wrapper(*args, **kwargs):
            self.calls.add(name)
            return original(*args, **kwargs)

        self.found.append((owner, name, original))
        setattr(owner, name, wrapper)

    def cmd_SET_BACK(self, gcmd):
        while self.found:
            setattr(*self.found.pop())
        gcmd.respond_info("called: %s" % (" ".join(sorted(self.calls)),))
        self.calls.clear()

    def cmd_WRAP(self, gcmd):
        self.wrap_all()


def load_config(config):
    return SettingBack(config)
