// Temperatures of bodies, worked out when somebody asks for them
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "thermal.h" // struct thermal
#include <math.h> // fabs
#include <stdlib.h> // free
#include <string.h> // strcmp
#include "../core/memory.h" // allocate

// Terms of the series that change nothing end it
#define NEGLIGIBLE_K 1e-12


/****************************************************************
 * Progress in time
 ****************************************************************/

// Add the next term of the series to each temperature; returns the largest
static double
add_term(struct body_group *group, double factor_s)
{
    struct body *body;
    for (body = group->bodies; body; body = body->next_in_group)
        body->flow_w -= body->total_loss_w_per_k * body->term_k;
    for (struct coupling *one = group->couplings; one; one = one->next) {
        double flow_w = one->conductance_w_per_k
            * (one->first->term_k - one->second->term_k);
        one->first->flow_w -= flow_w;
        one->second->flow_w += flow_w;
    }
    double largest_k = 0.0;
    for (body = group->bodies; body; body = body->next_in_group) {
        body->term_k = body->flow_w * factor_s / body->capacity_j_per_k;
        body->temperature_c += body->term_k;
        body->flow_w = 0.0;
        if (fabs(body->term_k) > largest_k)
            largest_k = fabs(body->term_k);
    }
    return largest_k;
}

// Sum up the Taylor series of the temperatures, which is exact as nothing
// is switched meanwhile; returns how much they change at first order
static double
take_step(struct body_group *group, double step_s)
{
    for (struct body *body = group->bodies; body; body = body->next_in_group) {
        body->term_k = body->temperature_c;
        body->flow_w =
            body->power_w + body->total_loss_w_per_k * body->ambient_c;
    }
    double change_k = add_term(group, step_s), last_k = change_k;
    for (int order = 2; last_k > NEGLIGIBLE_K; order++)
        last_k = add_term(group, step_s / order);
    return change_k;
}

static void
advance(struct body_group *group)
{
    int64_t now_ns = group->timeline->now_ns;
    double elapsed_s = (double)(now_ns - group->reached_ns) / NS_PER_S;
    group->reached_ns = now_ns;
    if (elapsed_s <= 0.0)
        return;
    // The series of a step converges fast if nothing changes much in it
    double steps = floor(elapsed_s * group->fastest_rate_per_s) + 1.0;
    double step_s = elapsed_s / steps;
    // Once all have settled there is nothing more to do
    while (steps-- > 0.0 && take_step(group, step_s) > NEGLIGIBLE_K)
        ;
}

double
body_temperature_c(struct body *body)
{
    advance(body->group);
    return body->temperature_c;
}

void
body_update(struct body *body)
{
    advance(body->group);
    body->power_w = body->own_power_w;
    body->total_loss_w_per_k = body->loss_w_per_k;
    for (struct heater *heater = body->heaters; heater; heater = heater->next)
        body->power_w += heater->share * heater->health * heater->power_w;
    for (struct cooler *cooler = body->coolers; cooler; cooler = cooler->next)
        body->total_loss_w_per_k += cooler->share * cooler->loss_w_per_k;
    struct body_group *group = body->group;
    group->fastest_rate_per_s = 0.0;
    for (struct body *one = group->bodies; one; one = one->next_in_group) {
        double conductance_w_per_k =
            one->total_loss_w_per_k + 2.0 * one->coupled_w_per_k;
        group->fastest_rate_per_s =
            fmax(group->fastest_rate_per_s,
                 conductance_w_per_k / one->capacity_j_per_k);
    }
}


/****************************************************************
 * Bodies
 ****************************************************************/

struct body *
thermal_find_body(const struct thermal *thermal, const char *name)
{
    struct body *body = thermal->bodies;
    while (body && strcmp(body->name, name))
        body = body->next;
    return body;
}

struct body *
thermal_add_body(struct thermal *thermal, const char *name)
{
    struct body **end = &thermal->bodies;
    while (*end)
        end = &(*end)->next;
    struct body *body = *end = allocate(1, sizeof(*body));
    body->name = copy_string(name);
    body->group = allocate(1, sizeof(*body->group));
    body->group->timeline = thermal->timeline;
    body->group->bodies = body;
    return body;
}

// Make one group of two
static void
join(struct body_group *group, struct body_group *other)
{
    struct body **last = &group->bodies;
    while (*last)
        last = &(*last)->next_in_group;
    *last = other->bodies;
    for (struct body *body = other->bodies; body; body = body->next_in_group)
        body->group = group;
    struct coupling **end = &group->couplings;
    while (*end)
        end = &(*end)->next;
    *end = other->couplings;
    free(other);
}

void
body_couple(struct body *body, struct body *other, double conductance_w_per_k)
{
    if (body->group != other->group)
        join(body->group, other->group);
    struct coupling *coupling = allocate(1, sizeof(*coupling));
    coupling->first = body;
    coupling->second = other;
    coupling->conductance_w_per_k = conductance_w_per_k;
    coupling->next = body->group->couplings;
    body->group->couplings = coupling;
    body->coupled_w_per_k += conductance_w_per_k;
    other->coupled_w_per_k += conductance_w_per_k;
    body_update(body);
}

static void
body_free(struct body *body)
{
    while (body->heaters) {
        struct heater *heater = body->heaters;
        body->heaters = heater->next;
        free(heater);
    }
    while (body->coolers) {
        struct cooler *cooler = body->coolers;
        body->coolers = cooler->next;
        free(cooler);
    }
    free(body->name);
    free(body);
}

static void
group_free(struct body_group *group)
{
    while (group->couplings) {
        struct coupling *coupling = group->couplings;
        group->couplings = coupling->next;
        free(coupling);
    }
    free(group);
}

void
thermal_release(struct thermal *thermal)
{
    while (thermal->sensors) {
        struct temperature_sensor *sensor = thermal->sensors;
        thermal->sensors = sensor->next;
        sensor_free(sensor);
    }
    while (thermal->bodies) {
        struct body *body = thermal->bodies;
        thermal->bodies = body->next;
        // The last one of a group takes it along
        struct body *other = thermal->bodies;
        while (other && other->group != body->group)
            other = other->next;
        if (!other)
            group_free(body->group);
        body_free(body);
    }
}


/****************************************************************
 * What is switched
 ****************************************************************/

static void
heater_drive(struct pin_load *load, double duty)
{
    struct heater *heater = container_of(load, struct heater, load);
    double share = pin_load_share(duty, heater->is_inverted);
    if (share == heater->share)
        return;
    advance(heater->body->group);
    heater->share = share;
    body_update(heater->body);
}

static int
is_body_of(const struct body *body, const char *section)
{
    size_t length = strlen(section);
    return !strncmp(body->name, section, length)
        && (!body->name[length] || !strcmp(body->name + length, ".element"));
}

int
thermal_break_heaters(struct thermal *thermal, const char *section,
                      double health)
{
    int found = 0;
    for (struct body *body = thermal->bodies; body; body = body->next) {
        if (!is_body_of(body, section))
            continue;
        for (struct heater *heater = body->heaters; heater;
             heater = heater->next) {
            heater->health = health;
            found = 1;
        }
        body_update(body);
    }
    return found;
}

static void
cooler_drive(struct pin_load *load, double duty)
{
    struct cooler *cooler = container_of(load, struct cooler, load);
    double share = pin_load_share(duty, cooler->is_inverted);
    if (share == cooler->share)
        return;
    advance(cooler->body->group);
    cooler->share = share;
    body_update(cooler->body);
}

struct heater *
body_add_heater(struct body *body, double power_w, int is_inverted)
{
    struct heater *heater = allocate(1, sizeof(*heater));
    heater->load.drive = heater_drive;
    heater->body = body;
    heater->power_w = power_w;
    heater->health = 1.0;
    heater->is_inverted = is_inverted;
    heater->next = body->heaters;
    return body->heaters = heater;
}

struct cooler *
body_add_cooler(struct body *body, double loss_w_per_k, int is_inverted)
{
    struct cooler *cooler = allocate(1, sizeof(*cooler));
    cooler->load.drive = cooler_drive;
    cooler->body = body;
    cooler->loss_w_per_k = loss_w_per_k;
    cooler->is_inverted = is_inverted;
    cooler->next = body->coolers;
    return body->coolers = cooler;
}
