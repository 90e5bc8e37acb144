// What is recorded of a simulation beside its messages
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef RECORDING_H
#define RECORDING_H

struct simulation;

#pragma GCC visibility push(hidden)

// Look at all of it again and again, if it is to be recorded
void recording_start(struct simulation *sim);
void recording_stop(struct simulation *sim);

#pragma GCC visibility pop

#endif // recording.h
