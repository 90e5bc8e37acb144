// Tells from the frequency of a coil when the nozzle has touched the bed
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

// On its way down the frequency rises along a smooth curve.  Where the nozzle
// rests on the bed the coil comes hardly nearer, so that the samples fall
// behind what the curve foretells.  How the firmware of a real Beacon does it
// is not known; what a host sees of that is the same: it is armed once it moves
// steadily, and takes any sudden halt for a contact.

#include <math.h> // sqrt
#include "contact.h" // struct contact

// How far samples have to be behind, in deviations of the noise, and what each
// step of sensitivity adds
#define DEVIATIONS 7.0
#define DEVIATIONS_PER_STEP 1.5
// Share of the approach's speed that is left then at most
#define SPEED_SHARE 0.6
// How far the samples of an approach have to rise for it to be armed, and the
// share of its speed that it may gain meanwhile
#define RISE_DEVIATIONS 20.0
#define GAIN_SHARE 0.4
// Of the rounding of a sample
#define ROUNDING_DEVIATION 0.3
enum {
    // Samples in a row that show a contact, if no latency is asked for
    SUSPECTS = 3,
    // Samples that the speed is taken from
    RECENT = 4,
    LATENCY_MAX = 255,
};

// A parabola through the samples of an approach: a + b*u + c*u*u for u samples
// after the middle one, and what is left of them
struct approach {
    double a, b, c, deviation;
};

// A line through the newest deficits
struct line {
    double slope; // of a sample
    double zero; // in samples before the newest
    double square; // of what is left
};

static double
value_at(const struct contact *contact, uint64_t index)
{
    return contact->values[index % CONTACT_SAMPLES];
}


/****************************************************************
 * What the curve foretells
 ****************************************************************/

static double
approach_at(const struct approach *approach, double u)
{
    return approach->a + u * (approach->b + u * approach->c);
}

static double
place_of(int index)
{
    return index - (CONTACT_LEARN - 1) / 2.0;
}

// Least squares
static struct approach
learn(const struct contact *contact)
{
    uint64_t first = contact->count - CONTACT_SAMPLES;
    // Small numbers keep all their digits
    double base = value_at(contact, first);
    double u2 = 0.0, u4 = 0.0, v = 0.0, vu = 0.0, vu2 = 0.0;
    for (int i = 0; i < CONTACT_LEARN; i++) {
        double u = place_of(i);
        double value = value_at(contact, first + (uint64_t)i) - base;
        u2 += u * u;
        u4 += u * u * u * u;
        v += value;
        vu += value * u;
        vu2 += value * u * u;
    }
    double c = (vu2 - v * u2 / CONTACT_LEARN) / (u4 - u2 * u2 / CONTACT_LEARN);
    double a = (v - c * u2) / CONTACT_LEARN;
    struct approach approach = { base + a, vu / u2, c, 0.0 };
    double square = 0.0;
    for (int i = 0; i < CONTACT_LEARN; i++) {
        double left = value_at(contact, first + (uint64_t)i)
            - approach_at(&approach, place_of(i));
        square += left * left;
    }
    approach.deviation =
        sqrt(square / (CONTACT_LEARN - 3)) + ROUNDING_DEVIATION;
    return approach;
}

// Per sample, now
static double
foretold_slope(const struct approach *approach)
{
    double u = place_of(CONTACT_SAMPLES - 1);
    return approach->b + 2.0 * approach->c * u;
}


/****************************************************************
 * How far samples are behind it
 ****************************************************************/

// Of a sample, by how many are newer
static double
deficit(const struct contact *contact, const struct approach *approach,
        int newer)
{
    double u = place_of(CONTACT_SAMPLES - 1 - newer);
    return approach_at(approach, u)
        - value_at(contact, contact->count - 1 - (uint64_t)newer);
}

static struct line
follow(const struct contact *contact, const struct approach *approach,
       int sample_count)
{
    double middle = (sample_count - 1) / 2.0;
    double squares = 0.0, sum = 0.0, moment = 0.0, square = 0.0;
    for (int newer = 0; newer < sample_count; newer++) {
        double u = middle - newer;
        double value = deficit(contact, approach, newer);
        squares += u * u;
        sum += value;
        moment += u * value;
        square += value * value;
    }
    double mean = sum / sample_count, slope = moment / squares;
    return (struct line){
        .slope = slope,
        .zero = middle + mean / slope,
        .square = square - sample_count * mean * mean - slope * moment,
    };
}

// When the samples began to fall behind, in samples before the newest: nothing
// was missing before, and what is missing since lies on a line
static double
find_contact(const struct contact *contact, const struct approach *approach)
{
    double best_square = 0.0, zero = 0.0;
    for (int after = SUSPECTS; after < CONTACT_GAP; after++) {
        struct line line = follow(contact, approach, after);
        double square = line.square;
        for (int newer = after; newer < CONTACT_GAP; newer++) {
            double value = deficit(contact, approach, newer);
            square += value * value;
        }
        if (after == SUSPECTS || square < best_square) {
            best_square = square;
            zero = line.zero;
        }
    }
    return zero > 0.0 ? zero : 0.0;
}

// Whether it can be told what comes next
static int
is_steady(const struct approach *approach)
{
    double gain = 2.0 * approach->c * CONTACT_LEARN;
    return approach->b * CONTACT_LEARN > RISE_DEVIATIONS * approach->deviation
        && gain < GAIN_SHARE * approach->b;
}

// Whether the newest sample says that the nozzle rests on the bed
static int
is_suspect(const struct contact *contact, const struct approach *approach)
{
    double behind = DEVIATIONS + DEVIATIONS_PER_STEP * contact->sensitivity;
    if (deficit(contact, approach, 0) < behind * approach->deviation)
        return 0;
    double slope =
        foretold_slope(approach) - follow(contact, approach, RECENT).slope;
    return slope < SPEED_SHARE * approach->b;
}


/****************************************************************
 * Waiting for it
 ****************************************************************/

void
contact_start(struct contact *contact)
{
    *contact = (struct contact){
        .latency_min = contact->latency_min,
        .sensitivity = contact->sensitivity,
    };
}

int
contact_feed(struct contact *contact, double value, uint64_t clock,
             uint32_t period_ticks)
{
    contact->values[contact->count++ % CONTACT_SAMPLES] = value;
    if (contact->is_found || contact->count < CONTACT_SAMPLES)
        return 0;
    struct approach approach = learn(contact);
    if (!contact->is_armed) {
        contact->is_armed = is_steady(&approach);
        contact->armed_clock = clock;
        return 0;
    }
    contact->suspect_count =
        is_suspect(contact, &approach) ? contact->suspect_count + 1 : 0;
    if (contact->suspect_count < (unsigned)SUSPECTS + contact->latency_min)
        return 0;
    double samples = find_contact(contact, &approach);
    contact->is_found = 1;
    contact->trigger_clock = clock;
    contact->detect_clock = clock - (uint64_t)(samples * period_ticks);
    return 1;
}

unsigned
contact_latency(const struct contact *contact, uint32_t period_ticks)
{
    uint64_t ticks = contact->trigger_clock - contact->detect_clock;
    uint64_t samples = ticks / period_ticks;
    return samples < LATENCY_MAX ? (unsigned)samples : LATENCY_MAX;
}
