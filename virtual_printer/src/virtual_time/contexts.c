// Going on with another thread without the kernel, which takes its time
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
//
// What a thread is to the program lies in memory: its stack, and what the FS
// register points at. One thread of the kernel can therefore carry them all in
// turn, by loading another stack and another FS. The kernel's own threads of
// the others are parked meanwhile, each on a small stack of its own. A new
// thread starts on its own one of the kernel, and an ending one goes back to
// it, since the kernel announces the end of that one.

#include "virtual_time.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifdef __x86_64__

#define HWCAP2_FSGSBASE 2
#define PARKING_SIZE (16 * 1024)
#define KERNEL_SIGNAL_SET_SIZE 8

static bool is_used;
// The slot to which the kernel's running thread belongs
static struct slot *carrier;
// Who wants a function called in another thread
static struct slot *visitor;
static void (*visit)(void);

// Both keep what a function has to preserve on the stack that they leave, and
// store where that is. The first goes on with another context, the second
// calls a function on an empty stack.
void context_switch(void **left, void *stack, uintptr_t fs_base)
    __attribute__((visibility("hidden")));
void context_leave(void **left, void *stack, uintptr_t fs_base,
                   void (*function)(void *), void *argument)
    __attribute__((visibility("hidden")));
void context_load(void *stack, uintptr_t fs_base)
    __attribute__((visibility("hidden"), noreturn));

#define KEEP                                                       \
    "push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n"  \
    "push %r15\n sub $8, %rsp\n stmxcsr (%rsp)\n fnstcw 4(%rsp)\n" \
    "mov %rsp, (%rdi)\n"
#define GO_ON                                                    \
    "ldmxcsr (%rsp)\n fldcw 4(%rsp)\n add $8, %rsp\n pop %r15\n" \
    "pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n ret\n"
#define FUNCTION(name)                             \
    ".text\n .globl " name "\n .hidden " name "\n" \
    ".type " name ", @function\n" name ":\n"

__asm__(FUNCTION("context_switch") KEEP
        "mov %rsi, %rsp\n wrfsbase %rdx\n" GO_ON);
__asm__(FUNCTION("context_leave") KEEP
        "mov %rsi, %rsp\n wrfsbase %rdx\n mov %r8, %rdi\n xor %ebp, %ebp\n"
        "call *%rcx\n ud2\n");
__asm__(FUNCTION("context_load") "mov %rdi, %rsp\n wrfsbase %rsi\n" GO_ON);

// A system call that leaves errno alone, which another thread may use now
static long
call_kernel(long number, long first, long second, long third, long fourth)
{
    register long fourth_register __asm__("r10") = fourth;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(first), "S"(second), "d"(third),
                       "r"(fourth_register)
                     : "rcx", "r11", "memory");
    return result;
}

static void
wake(uint32_t *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
    call_kernel(SYS_futex, (long)flag, FUTEX_WAKE_PRIVATE, 1, 0);
}

// Where a parked thread of the kernel waits until it is to carry a context.
// Signals are for the one that carries one.
static void
park(void *data)
{
    struct slot *self = data;
    uint64_t all = UINT64_MAX, before = 0;
    call_kernel(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before,
                KERNEL_SIGNAL_SET_SIZE);
    if (self->to_wake != NULL)
        wake(self->to_wake);
    while (!__atomic_load_n(&self->is_called, __ATOMIC_ACQUIRE))
        call_kernel(SYS_futex, (long)&self->is_called, FUTEX_WAIT_PRIVATE, 0,
                    0);
    self->is_called = 0;
    call_kernel(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0,
                KERNEL_SIGNAL_SET_SIZE);
    carrier = self;
    context_load(self->to_carry->left_stack, self->to_carry->fs_base);
}

// Does the CPU keep return addresses a second time, which only the kernel can
// switch?
static bool
has_shadow_stack(void)
{
    uint64_t shadow_stack = 0;
    __asm__ volatile("rdsspq %0" : "+r"(shadow_stack));
    return shadow_stack != 0;
}

// Can it be done here at all?
void
contexts_setup(void)
{
    is_used = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE && !has_shadow_stack()
        && getenv("VIRTUAL_PRINTER_KERNEL_SWITCHES") == NULL;
}

// The calling thread runs on its own thread of the kernel from now on
void
contexts_note_start(struct slot *self)
{
    if (!is_used)
        return;
    __asm__ volatile("rdfsbase %0" : "=r"(self->fs_base));
    carrier = self;
}

// Are threads carried by any thread of the kernel?
bool
contexts_are_used(void)
{
    return is_used;
}

// The kernel's thread on which the holder of the baton runs; of another slot,
// its own one
pid_t
contexts_kernel_thread(const struct slot *slot)
{
    return is_used && slot == baton_holder() ? carrier->thread_id
                                             : slot->thread_id;
}

// Leave the calling thread's context for the carrier's parking place, where it
// wakes another thread of the kernel
static void
leave(struct slot *self, uint32_t *to_wake)
{
    struct slot *parked = carrier;
    if (parked->parking == NULL) {
        void *memory = mmap(NULL, PARKING_SIZE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (memory == MAP_FAILED)
            report_bad_setup("no memory for another thread");
        parked->parking = (char *)memory + PARKING_SIZE;
    }
    parked->to_wake = to_wake;
    context_leave(&self->left_stack, parked->parking, parked->fs_base, park,
                  parked);
}

// Go on with the thread of another slot; returns when it is the turn of the
// calling one again
void
contexts_go_on(struct slot *self, struct slot *next)
{
    if (next->left_stack != NULL)
        context_switch(&self->left_stack, next->left_stack, next->fs_base);
    else
        leave(self, &next->has_baton);
    while (visit != NULL) {
        void (*function)(void) = visit;
        visit = NULL;
        function();
        context_switch(&self->left_stack, visitor->left_stack,
                       visitor->fs_base);
    }
    self->left_stack = NULL;
}

// Call a function as another thread, and come back. Returns false if that
// thread has left nothing that can be gone on with.
bool
contexts_visit(const struct slot *slot, void (*function)(void))
{
    if (slot->left_stack == NULL)
        return false;
    visit = function;
    visitor = baton_holder();
    context_switch(&visitor->left_stack, slot->left_stack, slot->fs_base);
    visitor->left_stack = NULL;
    return true;
}

// Have the calling thread carried by its own thread of the kernel
void
contexts_go_home(struct slot *self)
{
    if (carrier == self)
        return;
    self->to_carry = self;
    leave(self, &self->is_called);
    self->left_stack = NULL;
}

// Let a slot's thread go on from one that ends
void
contexts_continue(struct slot *next)
{
    if (next->left_stack == NULL) {
        wake(&next->has_baton);
        return;
    }
    next->to_carry = next;
    wake(&next->is_called);
}

#else

void
contexts_setup(void)
{
}

void
contexts_note_start(struct slot *self)
{
    (void)self;
}

bool
contexts_are_used(void)
{
    return false;
}

pid_t
contexts_kernel_thread(const struct slot *slot)
{
    return slot->thread_id;
}

void
contexts_go_on(struct slot *self, struct slot *next)
{
    (void)self, (void)next;
}

bool
contexts_visit(const struct slot *slot, void (*function)(void))
{
    (void)slot, (void)function;
    return false;
}

void
contexts_go_home(struct slot *self)
{
    (void)self;
}

void
contexts_continue(struct slot *next)
{
    (void)next;
}

#endif
