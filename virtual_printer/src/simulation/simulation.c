// The whole simulation: life cycle, progress in time, requests
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "core/memory.h" // allocate
#include "description/description.h" // devices_free
#include "devices/accelerometer.h" // accelerometer_free
#include "devices/angle_sensor.h" // angle_sensor_free
#include "devices/ldc1612.h" // ldc1612_free
#include "devices/load_cell.h" // load_cell_free
#include "description/machine.h" // struct simulation
#include "firmware/beacon.h" // beacon_free
#include "firmware/mcu.h" // mcu_free
#include "links/can_load.h" // can_load_free
#include "mechanics/binding.h" // binding_free
#include "requests/control.h" // control_answer
#include "can_sockets.h" // can_sockets_receive
#include "recording.h" // recording_start
#include "simulation.h" // simulation_load


/****************************************************************
 * Life cycle
 ****************************************************************/

struct simulation *
simulation_load(const char *description_path, char *error, size_t error_size)
{
    struct simulation *sim = allocate(1, sizeof(*sim));
    sim->mechanics.timeline = &sim->timeline;
    sim->thermal.timeline = &sim->timeline;
    sim->can_receiver.receive = can_sockets_receive;
    if (!description_read(sim, description_path, error, error_size)) {
        recording_start(sim);
        return sim;
    }
    simulation_free(sim);
    return NULL;
}

void
simulation_free(struct simulation *sim)
{
    if (!sim)
        return;
    actions_free(sim);
    recording_stop(sim);
    for (size_t i = 0; i < sim->mcu_count; i++)
        mcu_free(sim->mcus[i]);
    free(sim->mcus);
    can_sockets_free(sim);
    for (size_t i = 0; i < sim->can_bus_count; i++) {
        can_load_free(sim->can_buses[i]->load);
        can_host_free(sim->can_buses[i]->host);
        can_bus_free(sim->can_buses[i]);
    }
    free(sim->can_buses);
    drivers_free(sim);
    for (size_t i = 0; i < sim->accelerometer_count; i++)
        accelerometer_free(sim->accelerometers[i]);
    free(sim->accelerometers);
    for (size_t i = 0; i < sim->load_cell_count; i++)
        load_cell_free(sim->load_cells[i]);
    free(sim->load_cells);
    for (size_t i = 0; i < sim->coil_count; i++)
        ldc1612_free(sim->coils[i]);
    free(sim->coils);
    for (size_t i = 0; i < sim->angle_sensor_count; i++)
        angle_sensor_free(sim->angle_sensors[i]);
    free(sim->angle_sensors);
    for (size_t i = 0; i < sim->beacon_count; i++)
        beacon_free(sim->beacons[i]);
    free(sim->beacons);
    binding_free(sim->binding);
    mechanics_release(&sim->mechanics);
    thermal_release(&sim->thermal);
    devices_free(sim);
    outputs_free(sim);
    free(sim->timeline.events.entries);
    free(sim);
}


/****************************************************************
 * Use
 ****************************************************************/

int64_t
simulation_next_event(struct simulation *sim)
{
    return timeline_next_event(&sim->timeline);
}

int64_t
simulation_advance(struct simulation *sim, int64_t limit_ns)
{
    return timeline_advance(&sim->timeline, limit_ns);
}

void
simulation_control(struct simulation *sim, int64_t now_ns, const char *request,
                   char *reply, size_t reply_size)
{
    timeline_catch_up(&sim->timeline, now_ns);
    control_answer(sim, request, reply, reply_size);
}
