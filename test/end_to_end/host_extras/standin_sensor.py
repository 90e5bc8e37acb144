# What the stand-ins of probes have in common: a sensor, its trsyncs, and a probe object
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import importlib
import inspect

SAMPLE_TIME_S, SAMPLE_COUNT, REST_TIME_S = 0.000015, 4, 0.001
SENSOR_PERIOD_S = 0.002
TRSYNC_TIMEOUT_S = 0.025


def host_module(name):
    """A module of the host, which may be a package or a folder."""
    return importlib.import_module(__name__.rpartition("extras.")[0] + name)


class Sensor:
    """A sensor of the virtual printer: it triggers any trsync, and reports its height."""

    def __init__(self, config):
        self.printer = config.get_printer()
        pins = self.printer.lookup_object("pins")
        self._pin_params = pins.lookup_pin(config.get("pin"), can_invert=True)
        self.mcu = self._pin_params["chip"]
        self._oid, self._distance_oid = self.mcu.create_oid(), self.mcu.create_oid()
        self.mcu.register_config_callback(self._build_config)

    def _build_config(self):
        pin = self._pin_params["pin"]
        self.mcu.add_config_cmd("config_endstop oid=%d pin=%s pull_up=0" % (self._oid, pin))
        self.mcu.add_config_cmd("config_distance oid=%d pin=%s" % (self._distance_oid, pin))
        self._home = self.mcu.lookup_command(
            "endstop_home oid=%c clock=%u sample_ticks=%u sample_count=%c rest_ticks=%u"
            " pin_value=%c trsync_oid=%c trigger_reason=%c"
        )
        self._query = self.mcu.lookup_query_command(
            "endstop_query_state oid=%c",
            "endstop_state oid=%c homing=%c next_clock=%u pin_value=%c",
            oid=self._oid,
        )
        self._query_distance = self.mcu.lookup_query_command(
            "query_distance oid=%c",
            "distance_state oid=%c clock=%u height=%i",
            oid=self._distance_oid,
        )

    def arm(self, print_time, trsync):
        """Have a trsync triggered once the sensor is low enough."""
        self._rest_ticks = self.mcu.seconds_to_clock(REST_TIME_S)
        self._home.send(
            [
                self._oid,
                self.mcu.print_time_to_clock(print_time),
                self.mcu.seconds_to_clock(SAMPLE_TIME_S),
                SAMPLE_COUNT,
                self._rest_ticks,
                1 ^ self._pin_params["invert"],
                trsync.get_oid(),
                trsync.REASON_ENDSTOP_HIT,
            ]
        )

    def disarm(self):
        """Stop looking; returns the print time (s) of the trigger."""
        self._home.send([self._oid, 0, 0, 0, 0, 0, 0, 0])
        clock = self.mcu.clock32_to_clock64(self._query.send([self._oid])["next_clock"])
        return self.mcu.clock_to_print_time(clock - self._rest_ticks)

    def measure(self):
        """A print time (s) and the sensor's height over the bed (mm) at that time."""
        params = self._query_distance.send([self._distance_oid])
        clock = self.mcu.clock32_to_clock64(params["clock"])
        return self.mcu.clock_to_print_time(clock), params["height"] / 1e6

    def measure_from(self, start_time, end_time):
        """All measurements from one print time (s) to another."""
        reactor = self.printer.get_reactor()
        measured = [self.measure()]
        while measured[-1][0] < end_time:
            reactor.pause(reactor.monotonic() + SENSOR_PERIOD_S)
            measured.append(self.measure())
        return [(time, height) for time, height in measured if start_time <= time <= end_time]


class Trigger:
    """The trsyncs of one endstop; who adds steppers to them decides on the MCUs."""

    def __init__(self, mcu):
        self._mcu_module, self._chelper = host_module("mcu"), host_module("chelper")
        self._reactor = mcu.get_printer().get_reactor()
        ffi_main, ffi_lib = self._chelper.get_ffi()
        self._trdispatch = ffi_main.gc(ffi_lib.trdispatch_alloc(), ffi_lib.free)
        self.trsyncs = [self._mcu_module.MCU_trsync(mcu, self._trdispatch)]

    def trsync_of(self, mcu):
        """The trsync on an MCU, made if there is none."""
        for trsync in self.trsyncs:
            if trsync.get_mcu() is mcu:
                return trsync
        self.trsyncs.append(self._mcu_module.MCU_trsync(mcu, self._trdispatch))
        return self.trsyncs[-1]

    def get_steppers(self):
        return [s for trsync in self.trsyncs for s in trsync.get_steppers()]

    def start(self, print_time):
        self._completion = self._reactor.completion()
        for i, trsync in enumerate(self.trsyncs):
            arguments = [print_time, i / len(self.trsyncs), self._completion, TRSYNC_TIMEOUT_S]
            if len(inspect.signature(trsync.start).parameters) == 3:
                # Before v0.12 (2023)
                del arguments[1]
            trsync.start(*arguments)
        reason = self.trsyncs[0].REASON_HOST_REQUEST
        self._chelper.get_ffi()[1].trdispatch_start(self._trdispatch, reason)
        return self._completion

    def wait(self, home_end_time):
        """Wait for the trigger; returns why the first trsync has stopped."""
        self.trsyncs[0].set_home_end_time(home_end_time)
        self._completion.wait()
        self._chelper.get_ffi()[1].trdispatch_stop(self._trdispatch)
        reasons = [trsync.stop() for trsync in self.trsyncs]
        timeout = self.trsyncs[0].REASON_COMMS_TIMEOUT
        return timeout if timeout in reasons else reasons[0]


class ProbeObject:
    """The object "probe" as hosts of all versions use it; probe(gcmd) measures once."""

    def __init__(self, printer, offsets, probe):
        self._offsets, self._probe = offsets, probe
        self._results = []
        printer.add_object("probe", self)

    def get_offsets(self, gcmd=None):
        return self._offsets

    def get_lift_speed(self, gcmd=None):
        return 5.0

    def get_probe_params(self, gcmd=None):
        return {"lift_speed": 5.0, "probe_speed": 5.0}

    # Until v0.12, and in Kalico
    def multi_probe_begin(self, always_restore_toolhead=False):
        pass

    def multi_probe_end(self):
        pass

    def run_probe(self, gcmd, *args, **kwargs):
        result = self._probe(gcmd)
        make = getattr(host_module("extras.manual_probe"), "create_probe_result", None)
        self._results.append(make(result, self._offsets) if make else result)
        return result

    # Since v0.13
    def start_probe_session(self, gcmd):
        return self

    def pull_probed_results(self):
        results, self._results = self._results, []
        return results

    def end_probe_session(self):
        self._results = []


class VirtualEndstopChip:
    """Gives the rail of the Z axis an endstop of a probe's."""

    def __init__(self, printer, endstop):
        self._endstop = endstop
        printer.lookup_object("pins").register_chip("probe", self)

    def setup_pin(self, pin_type, pin_params):
        assert (pin_type, pin_params["pin"]) == ("endstop", "z_virtual_endstop")
        return self._endstop


def z_steppers(printer):
    """All steppers that move Z, once the kinematics is known."""
    kinematics = printer.lookup_object("toolhead").get_kinematics()
    return [s for s in kinematics.get_steppers() if s.is_active_axis("z")]


def position_at(printer, print_time):
    """Where the toolhead was at a print time (s), from the history of its steps."""
    kinematics = printer.lookup_object("toolhead").get_kinematics()
    commanded = {
        s.get_name(): s.mcu_to_commanded_position(s.get_past_mcu_position(print_time))
        for s in kinematics.get_steppers()
    }
    return list(kinematics.calc_position(commanded))
