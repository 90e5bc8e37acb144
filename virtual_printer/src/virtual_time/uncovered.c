// Which blocking calls do the loaded libraries use that are not intercepted?
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <elf.h>
#include <link.h>
#include <string.h>

// Calls that block, or fire, in real time
static const char *const uncovered_calls[] = {
    "alarm",
    "cnd_timedwait",
    "cnd_wait",
    "epoll_pwait2",
    "inotify_init",
    "inotify_init1",
    "mq_receive",
    "mq_timedreceive",
    "msgrcv",
    "mtx_lock",
    "mtx_timedlock",
    "pause",
    "pthread_barrier_wait",
    "pthread_clockjoin_np",
    "pthread_rwlock_clockrdlock",
    "pthread_rwlock_clockwrlock",
    "pthread_rwlock_timedrdlock",
    "pthread_rwlock_timedwrlock",
    "pthread_timedjoin_np",
    "recvmmsg",
    "semop",
    "semtimedop",
    "sendmmsg",
    "setitimer",
    "signalfd",
    "sigsuspend",
    "sigtimedwait",
    "sigwait",
    "sigwaitinfo",
    "splice",
    "thrd_create",
    "thrd_join",
    "thrd_sleep",
    "timer_create",
    "timerfd_create",
    "ualarm",
    "wait",
    "wait3",
};

static unsigned long long scanned_additions;
static int scanned_objects;

// The tables of a loaded library that are needed here
struct symbols {
    const ElfW(Sym) *table;
    const char *names;
    uint32_t count;
};

// Is the call on the list?
static bool
is_uncovered(const char *name)
{
    size_t count = sizeof(uncovered_calls) / sizeof(uncovered_calls[0]);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(uncovered_calls[i], name))
            return true;
    return false;
}

// Find the symbols of a loaded library
static struct symbols
find_symbols(const struct dl_phdr_info *info, const ElfW(Dyn) *entry)
{
    struct symbols symbols = { .table = NULL };
    for (; entry->d_tag != DT_NULL; entry++) {
        uintptr_t address = entry->d_un.d_ptr;
        if (address < info->dlpi_addr)
            address += info->dlpi_addr;
        if (entry->d_tag == DT_SYMTAB)
            symbols.table = (const ElfW(Sym) *)address;
        else if (entry->d_tag == DT_STRTAB)
            symbols.names = (const char *)address;
        else if (entry->d_tag == DT_HASH && symbols.count == 0)
            symbols.count = ((const uint32_t *)address)[1];
        else if (entry->d_tag == DT_GNU_HASH)
            // Undefined symbols come before the first one that is hashed
            symbols.count = ((const uint32_t *)address)[1];
    }
    return symbols;
}

// Report the uncovered calls of one library
static void
scan_object(const struct dl_phdr_info *info, const ElfW(Dyn) *dynamic)
{
    struct symbols symbols = find_symbols(info, dynamic);
    if (symbols.table == NULL || symbols.names == NULL)
        return;
    const char *object = info->dlpi_name;
    for (uint32_t i = 1; i < symbols.count; i++) {
        const ElfW(Sym) *symbol = &symbols.table[i];
        const char *name = &symbols.names[symbol->st_name];
        if (symbol->st_shndx == SHN_UNDEF && is_uncovered(name))
            report_file_only("not in virtual time: %s, used by %s\n", name,
                             *object != '\0' ? object : "the program");
    }
}

// Are these the libraries that do the blocking?
static bool
is_system_library(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    return !strncmp(name, "libc.", 5) || !strncmp(name, "libc-", 5)
        || !strncmp(name, "libpthread", 10) || !strncmp(name, "librt", 5)
        || !strncmp(name, "ld-linux", 8) || !strncmp(name, "linux-vdso", 10);
}

// Look at one library, if it is a new one
static int
scan_if_new(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    int *number = data;
    scanned_additions = info->dlpi_adds;
    if ((*number)++ < scanned_objects || is_system_library(info->dlpi_name))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            scan_object(info,
                        (const ElfW(Dyn) *)(info->dlpi_addr
                                            + info->dlpi_phdr[i].p_vaddr));
    return 0;
}

// Tell whether libraries have been loaded since the last scan
static int
has_additions(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    *(bool *)data = info->dlpi_adds != scanned_additions;
    return 1;
}

// Report what the libraries use that were loaded since the last scan
void
uncovered_scan(void)
{
    bool is_needed = false;
    dl_iterate_phdr(has_additions, &is_needed);
    if (!is_needed)
        return;
    int number = 0;
    dl_iterate_phdr(scan_if_new, &number);
    scanned_objects = number;
}
