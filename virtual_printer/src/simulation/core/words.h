// Lines of words and key=value pairs, as in descriptions and requests
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h> // size_t
#include <stdint.h> // int64_t

#pragma GCC visibility push(hidden)

enum { WORDS_MAX = 64 };

// One line taken apart.  The first error is kept, what is read after it
// is of no use.
struct words {
    const char *line;
    char *text; // own copy, cut into words
    char *items[WORDS_MAX];
    uint8_t is_used[WORDS_MAX];
    size_t count;
    char error[200];
};

void words_split(struct words *words, const char *line);
void words_release(struct words *words);

void words_fail(struct words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Word at a place, or an error that says what is missing there
const char *words_item(struct words *words, size_t index, const char *what);

// Value of a key, NULL if it is not there
const char *words_find(struct words *words, const char *key);
const char *words_text(struct words *words, const char *key);

// Numbers within bounds; with a fallback the key may be missing
double words_number(struct words *words, const char *key, double minimum,
                    double maximum);
double words_number_or(struct words *words, const char *key, double minimum,
                       double maximum, double fallback);
double words_parse_number(struct words *words, const char *what,
                          const char *text, double minimum, double maximum);
int64_t words_integer(struct words *words, const char *key, int64_t minimum,
                      int64_t maximum);
int64_t words_integer_or(struct words *words, const char *key, int64_t minimum,
                         int64_t maximum, int64_t fallback);
int64_t words_parse_integer(struct words *words, const char *what,
                            const char *text, int64_t minimum, int64_t maximum);

// Index of a key's value among some names
int words_choice(struct words *words, const char *key, const char *const *names,
                 int count);

// Complain about words that nobody asked for
void words_check_used(struct words *words);

#pragma GCC visibility pop

#endif // words.h
