# A small slice of the measurement of the virtual printer's speed and memory
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import os

import pytest

from scripts.developer.speed import command, memory, ratios, usage, workloads
from virtual_printer import full_sample, hosts

HOST = hosts.available()[-1].name


def turn(virtual_s, wall_s, cpu_s, host_cpu_s=0.0):
    return usage.Turn(virtual_s, wall_s, cpu_s, host_cpu_s)


def turns(bare, full):
    """The same turns for all works; the printer with many MCUs is as the full one."""
    found = {}
    for work, printer in ratios._agenda():
        found[work, printer] = bare if printer == ratios.BARE else full
    return found


def test_figures_are_medians_and_ratios_of_turns_side_by_side():
    # The machine is three times slower in the second round
    bare = [turn(10.0, 0.1, 0.08), turn(10.0, 0.3, 0.24), turn(10.0, 0.1, 0.08)]
    full = [turn(10.0, 0.2, 0.12), turn(10.0, 0.6, 0.36), turn(10.0, 0.2, 0.12)]
    # Klippy takes three quarters of the bare printer's CPU, and all that the full one adds
    of_host = turns([turn(10.0, 0.1, 0.08, 0.06)] * 3, [turn(10.0, 0.2, 0.12, 0.10)] * 3)
    figures = ratios.report(ratios.Measured(turns(bare, full), of_host))
    assert figures["virtual_s_per_wall_s"]["probing"] == {
        "bare": 100.0,
        "full": 50.0,
        "full_16_mcus": 50.0,
    }
    assert figures["virtual_s_per_cpu_s"]["idle"] == {"bare": 125.0, "full": 83.3}
    assert figures["host_share_of_cpu"]["moving"] == {"bare": 0.75, "full": 0.833}
    assert {key: values["moving"] for key, values in figures["full_to_bare"].items()} == {
        "wall": 2.0,
        "cpu": 1.5,
        "if_simulation_cost_nothing": 1.667,
        "if_devices_cost_it_nothing": 1.5,
    }
    table = ratios.table(figures)
    assert table.count("virtual seconds per wall second") == 3
    assert "full to bare: wall time" in table


def test_memory_that_grows_after_the_first_fifth_is_a_figure():
    grown = [memory.Look(5e3 * i, 50_000 + 7 * i, 20_000, 900, 4_000 + i) for i in range(1, 11)]
    # What happens before is no growth
    grown[0] = memory.Look(5e3, 10_000, 10_000, 1, 1)
    figures = memory.report(grown)
    assert figures["growth_per_10000_s"] == {
        "host_kb": 14.0,
        "driver_kb": 0.0,
        "simulation_blocks": 0.0,
        "simulation_bytes": 2.0,
    }
    assert memory.table(figures).count("\n") == len(grown) + 2


def test_every_board_of_the_printers_is_used():
    for sample, count in ((full_sample.six_mcus(), 6), (full_sample.sixteen_mcus(), 16)):
        lines = sample.printer_cfg().splitlines()
        headers = [line[1:-1] for line in lines if line.startswith("[")]
        boards = [header.split()[-1] for header in headers if header.startswith("mcu")]
        assert len(boards) == count
        for board in boards:
            pins = [line for line in lines if "pin" in line and f"{board}:P" in line]
            assert pins or board == "mcu"


@pytest.fixture
def small(monkeypatch):
    """One round of short pieces of work; the processes that are started inherit this."""
    for module, name, value in (
        (ratios, "ROUNDS", 1),
        (ratios, "HOST_CPU_ROUNDS", 1),
        (workloads, "PROBES", 2),
        (workloads, "CIRCLES", 1),
        (workloads, "HOTEND_C", 175.0),
        (workloads, "BED_C", 30.0),
        (workloads, "IDLE_S", 1.0),
        (memory, "PROBES", 2),
        (memory, "CIRCLES", 1),
        (memory, "REST_S", 1.0),
        (memory, "LOOK_EVERY_S", 15.0),
    ):
        monkeypatch.setattr(module, name, value)


def test_command_measures_all_printers_and_writes_the_figures(small, tmp_path, capsys):
    path = tmp_path / "speed.json"
    assert command.main(["--host", HOST, "--json", str(path)]) == 0
    figures = json.loads(path.read_text())
    assert figures["host"]["name"] == HOST and figures["seed"] == 1
    speeds = figures["virtual_s_per_wall_s"]
    assert {work: sorted(found) for work, found in speeds.items()} == {
        "probing": ["bare", "full", "full_16_mcus"],
        "moving": ["bare", "full"],
        "idle": ["bare", "full"],
        "printing": ["full"],
    }
    assert all(value > 0.0 for found in speeds.values() for value in found.values())
    shares = figures["host_share_of_cpu"]
    assert all(0.0 < share < 1.0 for found in shares.values() for share in found.values())
    # The full printer has the bare one's work to do, and its own
    assert all(ratio > 1.0 for ratio in figures["full_to_bare"]["cpu"].values())
    assert "Klippy's own share of the CPU" in capsys.readouterr().out


def test_command_looks_at_the_memory_again_and_again(small, tmp_path, capsys):
    path = tmp_path / "memory.json"
    assert command.main(["--memory", "30", "--host", HOST, "--json", str(path)]) == 0
    looks = json.loads(path.read_text())["looks"]
    assert [round(look["virtual_s"] / 15.0) >= i for i, look in enumerate(looks, 1)] == [True] * 2
    for look in looks:
        assert look["host_kb"] > 10_000 and look["driver_kb"] > 5_000
        assert look["simulation_blocks"] > 100 and look["simulation_bytes"] > 10_000
    assert "growth" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["0", "-5", "inf", "soon"])
def test_time_that_cannot_be_is_refused_in_one_line(seconds, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main([f"--memory={seconds}"])
    assert ended.value.code == 2
    assert f"'{seconds}' is no time in seconds" in capsys.readouterr().err.splitlines()[-1]


def test_cpu_time_of_a_process_is_all_that_it_has_taken():
    taken_s = sum(os.times()[:2])
    # os.times() counts in hundredths
    assert usage.process_cpu_s(os.getpid()) == pytest.approx(taken_s, abs=0.1)
