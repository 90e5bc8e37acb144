// Start-up of the preload library
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#ifndef PRELOAD_H
#define PRELOAD_H

// intercept_threads.c
void preload_manage_threads(void) __attribute__((visibility("hidden")));

#endif
