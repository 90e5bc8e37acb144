// The functions that the library's own ones stand in front of
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Look up a function of the libraries loaded after this one
void *
real_symbol(const char *name)
{
    void *symbol = NULL;
    // dlsym may find the condition functions of an ancient, other layout
    if (!strncmp(name, "pthread_cond_", strlen("pthread_cond_")))
        symbol = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    if (symbol == NULL)
        symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL)
        report_bad_setup("the C library has no function %s", name);
    return symbol;
}
