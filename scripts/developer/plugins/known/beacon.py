# Beacon: an eddy current sensor that is an MCU by itself, and feels the nozzle touch the bed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import re
from dataclasses import dataclass
from typing import Sequence

from scripts.developer.plugins.common_rows import Endurance, levels, number
from scripts.developer.plugins.plugin import Plugin, Row
from scripts.developer.plugins.trial import Trial

# What its documentation has its users begin with
PRINTER_CFG = """
[beacon]
serial: /dev/serial/by-id/usb-Beacon_Beacon_RevH_FC2690BE4E5735574B202020FF0E1C2C-if00
x_offset: 0
y_offset: 20
mesh_main_direction: x
mesh_runs: 2
home_xy_position: 150, 150
home_z_hop: 5
home_z_hop_speed: 15
home_xy_move_speed: 200
home_method: contact
home_method_when_homed: proximity
home_autocalibrate: unhomed

[stepper_z]
homing_retract_dist: 0

[bed_mesh]
speed: 150
horizontal_move_z: 2
mesh_min: 30, 40
mesh_max: 270, 260
probe_count: 5, 5
zero_reference_position: 150, 150

[resonance_tester]
accel_chip: beacon
probe_points: 150, 150, 20

[extruder]
step_pin: toolhead:PA0
dir_pin: toolhead:PA1
enable_pin: !toolhead:PA2
microsteps: 16
rotation_distance: 7.7
nozzle_diameter: 0.4
filament_diameter: 1.75
heater_pin: toolhead:PB0
sensor_pin: toolhead:PC0
sensor_type: EPCOS 100K B57560G104F
min_temp: 0
max_temp: 290
control: pid
pid_kp: 22
pid_ki: 1.1
pid_kd: 110
"""
CENTER = "G90\nG1 Z5 F600\nG1 X150 Y150 F9000\nM400"
# What its own noise leaves of a measurement; a contact is a whole step, and so is the zero that
# was found by one
NOISE_MM = 0.002
CONTACT_NOISE_MM = 0.006
LOOK_AT_MM = 5.0
POKES = 10


def calibrate(trial: Trial) -> None:
    """The first homing finds the bed by contact, and the sensor calibrates itself there."""
    trial.gcode("G28")
    trial.save_config()


def true_error_mm(trial: Trial) -> float:
    """By how much the nozzle is truly higher over the centre of the bed than it is said to be."""
    trial.gcode(CENTER)
    return trial.printer.carriage_truth()[2] - LOOK_AT_MM


def probed_mm(lines: Sequence[str]) -> float:
    """The height that PROBE says, in whatever words."""
    return number(lines, r"probe at .* is z=(-?[\d.]+)")


def homes_by_contact(trial: Trial) -> None:
    """Zero is where the nozzle touches the bed, also when it is homed already."""
    trial.gcode("G28")
    trial.result("first_mm", true_error_mm(trial), CONTACT_NOISE_MM)
    trial.gcode("G28 Z METHOD=CONTACT CALIBRATE=1")
    trial.result("again_mm", true_error_mm(trial), CONTACT_NOISE_MM)
    trial.gcode("BEACON_AUTO_CALIBRATE")
    error_mm = true_error_mm(trial)
    trial.result("calibrated_mm", error_mm, CONTACT_NOISE_MM)
    trial.expect(abs(error_mm) < 0.02, f"zero is {error_mm:.4f} mm beside the bed")


def homes_by_proximity(trial: Trial) -> None:
    """Zero by the coil is that by contact."""
    trial.gcode("G28")
    errors_mm = []
    for _ in range(5):
        trial.gcode("G28 Z METHOD=PROXIMITY")
        errors_mm.append(true_error_mm(trial))
    trial.expect(max(errors_mm) - min(errors_mm) < 0.01, f"homes to {errors_mm}")
    trial.expect(abs(errors_mm[0]) < 0.03, f"homes to {errors_mm}")
    trial.result("mean_mm", sum(errors_mm) / len(errors_mm), CONTACT_NOISE_MM)


def calibrates_by_hand(trial: Trial) -> None:
    """BEACON_CALIBRATE with a sheet of paper of the thickness that it expects."""
    trial.gcode("G28 X Y\nG90\nG1 X150 Y150 F9000\nM400\nBEACON_CALIBRATE")
    height_mm = trial.printer.carriage_truth()[2]
    lines = trial.gcode(f"TESTZ Z=-{height_mm - 0.1:.4f}\nACCEPT")
    text = "\n".join(lines)
    trial.expect("Beacon calibrated at" in text, f"no calibration in '{text[-200:]}'")
    trial.save_config()
    trial.gcode("G28 X Y\nG28 Z METHOD=PROXIMITY")
    error_mm = true_error_mm(trial)
    trial.result("error_mm", error_mm, CONTACT_NOISE_MM)
    trial.expect(abs(error_mm) < 0.03, f"zero is {error_mm:.4f} mm beside the bed")


def probes(trial: Trial) -> None:
    """PROBE at some places by either method, from above the height at which it has to dive."""
    trial.gcode("G28")
    for x_mm, y_mm in ((60, 60), (150, 130), (240, 210)):
        trial.gcode(f"G90\nG1 Z8 F600\nG1 X{x_mm} Y{y_mm} F9000")
        name = f"{x_mm}_{y_mm}_mm"
        trial.result(f"proximity_{name}", probed_mm(trial.gcode("PROBE")), 0.01)
        trial.gcode("G1 Z3 F600")
        lines = trial.gcode("PROBE PROBE_METHOD=contact")
        trial.result(f"contact_{name}", probed_mm(lines), CONTACT_NOISE_MM)


@dataclass(frozen=True)
class Repeats:
    """PROBE_ACCURACY: the mean is the same, the range is within the sensor's noise."""

    retract_mm: float
    range_mm: float

    def __call__(self, trial: Trial) -> None:
        """Run it on a printer."""
        trial.gcode("G28\n" + CENTER)
        lines = trial.gcode(f"PROBE_ACCURACY SAMPLES=10 SAMPLE_RETRACT_DIST={self.retract_mm:g}")
        trial.result("mean_mm", number(lines, r"average (-?[\d.]+)"), NOISE_MM)
        range_mm = number(lines, r"range ([\d.]+)")
        trial.expect(range_mm <= self.range_mm, f"range {range_mm:g} mm in '{lines[-1]}'")


def pokes(trial: Trial) -> None:
    """BEACON_POKE finds the bed each time; what it calls overshoot depends on the target."""
    trial.gcode("G28\n" + CENTER)
    triggers_mm, latencies = [], []
    for _ in range(POKES):
        lines = trial.gcode("BEACON_POKE")
        triggers_mm.append(number(lines, r"Triggered at: z=(-?[\d.]+)"))
        latencies.append(number(lines, r"with latency=(\d+)"))
        number(lines, r"Overshoot: +(-?[\d.]+) um")
    trial.result("trigger_mm", sum(triggers_mm) / POKES, CONTACT_NOISE_MM)
    spread_mm = max(triggers_mm) - min(triggers_mm)
    trial.expect(spread_mm < 0.01, f"triggers from {min(triggers_mm)} to {max(triggers_mm)}")
    trial.result("latency", sum(latencies) / POKES, 1.0)


def compares(trial: Trial) -> None:
    """BEACON_OFFSET_COMPARE: contact and coil agree as they do on one MCU."""
    trial.gcode("G28\n" + CENTER)
    lines = trial.gcode("BEACON_OFFSET_COMPARE")
    trial.result("delta_mm", number(lines, r"Delta: +(-?[\d.]+) um") / 1000.0, CONTACT_NOISE_MM)


def estimates_backlash(trial: Trial) -> None:
    """BEACON_ESTIMATE_BACKLASH: there is none."""
    trial.gcode("G28\n" + CENTER)
    lines = trial.gcode("BEACON_ESTIMATE_BACKLASH")
    delta_mm = number(lines, r"delta (-?[\d.]+)")
    trial.result("delta_mm", delta_mm, NOISE_MM)
    trial.expect(abs(delta_mm) < 0.002, f"a backlash of {delta_mm} mm that is not there")


def meshes(trial: Trial) -> None:
    """A mesh in passing, and by stops with either method."""
    trial.gcode("G28\n" + CENTER)
    for name, options, within_mm in (
        ("scan", "", 0.004),
        ("stops", "METHOD=automatic", 0.01),
        ("contact", "PROBE_METHOD=contact PROBE_COUNT=3,3", 0.01),
    ):
        trial.gcode(f"BED_MESH_CALIBRATE {options}")
        rows = trial.status("bed_mesh")["probed_matrix"]
        trial.expect(len(rows) >= 3, f"the mesh has {len(rows)} rows")
        for i, row in enumerate((rows[0], rows[len(rows) // 2], rows[-1])):
            for j, z_mm in enumerate((row[0], row[len(row) // 2], row[-1])):
                trial.result(f"{name}_{i}_{j}_mm", z_mm, within_mm)


def shakes(trial: Trial) -> None:
    """Its acceleration sensor finds the resonance of the toolhead."""
    trial.gcode("G28")
    lines = trial.gcode("ACCELEROMETER_QUERY")
    found = re.search(r"\(x, y, z\): (\S+), (\S+), (\S+)", "\n".join(lines))
    trial.expect(found is not None, f"no acceleration in {lines}")
    assert found
    trial.result("gravity_mm_s2", float(found.group(3)), 200.0)
    lines = trial.gcode("SHAPER_CALIBRATE AXIS=X FREQ_START=30 FREQ_END=90", 3600.0)
    text = "\n".join(lines)
    trial.expect("Recommended shaper_type_x" in text, f"no shaper in '{text[-200:]}'")


@dataclass(frozen=True)
class ContactEndurance:
    """Homes and probes at random places by contact."""

    homings: int = 20
    probes: int = 60

    def __call__(self, trial: Trial) -> None:
        """Run it on a printer."""
        rng = random.Random(2)
        trial.gcode("G28")
        for _ in range(self.homings):
            trial.gcode("G28 Z METHOD=CONTACT CALIBRATE=0")
        for _ in range(self.probes):
            x_mm, y_mm = rng.uniform(50, 250), rng.uniform(50, 220)
            trial.gcode(f"G90\nG1 Z2 F600\nG1 X{x_mm:.3f} Y{y_mm:.3f} F9000")
            trial.gcode("PROBE PROBE_METHOD=contact SAMPLES=1")


PLUGIN = Plugin(
    name="Beacon",
    marks=("beacon.py", "update_firmware.py"),
    links={"beacon.py": "extras/beacon.py"},
    printer_cfg=PRINTER_CFG,
    without=("probe", "safe_z_home"),
    prepare=calibrate,
    rows=(
        Row("homes by contact and calibrates itself", homes_by_contact),
        Row("homes by proximity", homes_by_proximity),
        Row("calibrates by hand", calibrates_by_hand),
        Row("probes", probes),
        Row("repeats itself at rest", Repeats(0, 0.002)),
        Row("repeats itself when it dives", Repeats(4, 0.01)),
        Row("pokes", pokes),
        Row("compares contact and proximity", compares),
        Row("estimates backlash", estimates_backlash),
        Row("meshes", meshes),
        Row("levels the gantry", levels),
        Row("measures resonances", shakes),
        Row("100 homings, 300 probes by proximity", Endurance(home="G28 Z METHOD=PROXIMITY")),
        Row("20 homings, 60 probes by contact", ContactEndurance()),
    ),
)
