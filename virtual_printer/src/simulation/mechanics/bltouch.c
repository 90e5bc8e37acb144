// A BLTouch: a pin that the host lowers and raises by pulses of a servo
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mechanics.h" // struct bltouch

#define NS_PER_US 1000
#define PULSE_TOLERANCE_NS (40 * NS_PER_US)
// How long the sensor's signal lasts after the pin was pushed up
#define SIGNAL_NS (10 * 1000 * NS_PER_US)

static int
is_pulse(int64_t width_ns, int64_t nominal_us)
{
    int64_t off_ns = width_ns - nominal_us * NS_PER_US;
    return off_ns >= -PULSE_TOLERANCE_NS && off_ns <= PULSE_TOLERANCE_NS;
}

// A pulse has ended.  The modes of output make no difference here.
static void
run_command(struct bltouch *bltouch, int64_t width_ns)
{
    if (is_pulse(width_ns, 650)) {
        bltouch->is_deployed = 1;
        bltouch->is_touch_mode = 0;
    } else if (is_pulse(width_ns, 1165)) {
        bltouch->is_touch_mode = 1;
    } else if (is_pulse(width_ns, 1475) || is_pulse(width_ns, 2190)) {
        // Pin up, or reset
        bltouch->is_deployed = bltouch->is_touch_mode = 0;
    }
}

void
bltouches_feel(struct mechanics *mechanics, const struct mcu *mcu, uint8_t pin,
               int level)
{
    int64_t now_ns = mechanics->timeline->now_ns;
    for (size_t i = 0; i < mechanics->sensor_count; i++) {
        struct sensor *sensor = &mechanics->sensors[i];
        struct bltouch *bltouch = &sensor->bltouch;
        if (sensor->kind != SENSOR_BLTOUCH || bltouch->control_mcu != mcu
            || bltouch->control_pin != pin)
            continue;
        int is_high = level ^ bltouch->control_invert;
        if (is_high && !bltouch->is_high)
            bltouch->rise_ns = now_ns;
        else if (!is_high && bltouch->is_high)
            run_command(bltouch, now_ns - bltouch->rise_ns);
        bltouch->is_high = is_high;
    }
}

int
bltouch_is_triggered(struct bltouch *bltouch, int64_t now_ns, int is_pushed)
{
    if (bltouch->is_touch_mode)
        // A plain switch, closed as well while the pin is up
        return !bltouch->is_deployed || is_pushed;
    if (bltouch->is_deployed && is_pushed) {
        bltouch->is_deployed = 0;
        bltouch->signal_end_ns = now_ns + SIGNAL_NS;
    }
    return now_ns < bltouch->signal_end_ns;
}
