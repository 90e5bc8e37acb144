// Lines of words and key=value pairs, as in descriptions and requests
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <errno.h> // errno
#include <math.h> // isfinite
#include <stdarg.h> // va_list
#include <stdio.h> // vsnprintf
#include <stdlib.h> // strtod
#include <string.h> // strlen
#include "memory.h" // copy_string
#include "words.h" // struct words

static int
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void
words_split(struct words *words, const char *line)
{
    memset(words, 0, sizeof(*words));
    words->line = line;
    words->text = copy_string(line);
    char *cursor = words->text;
    for (;;) {
        while (is_blank(*cursor))
            *cursor++ = 0;
        if (!*cursor || *cursor == '#')
            return;
        if (words->count == WORDS_MAX) {
            words_fail(words, "too many words");
            return;
        }
        words->items[words->count++] = cursor;
        while (*cursor && !is_blank(*cursor))
            cursor++;
    }
}

void
words_release(struct words *words)
{
    free(words->text);
}

void
words_fail(struct words *words, const char *format, ...)
{
    if (words->error[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words->error, sizeof(words->error), format, arguments);
    va_end(arguments);
}

const char *
words_item(struct words *words, size_t index, const char *what)
{
    if (index >= words->count) {
        words_fail(words, "missing %s", what);
        return "";
    }
    words->is_used[index] = 1;
    return words->items[index];
}

const char *
words_find(struct words *words, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < words->count; i++) {
        if (strncmp(words->items[i], key, size) || words->items[i][size] != '=')
            continue;
        words->is_used[i] = 1;
        return words->items[i] + size + 1;
    }
    return NULL;
}

const char *
words_text(struct words *words, const char *key)
{
    const char *value = words_find(words, key);
    if (value && *value)
        return value;
    words_fail(words, "missing key '%s'", key);
    return "";
}

double
words_parse_number(struct words *words, const char *what, const char *text,
                   double minimum, double maximum)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !isfinite(number))
        words_fail(words, "%s is not a number: '%s'", what, text);
    else if (number < minimum || number > maximum)
        words_fail(words, "%s must be from %g to %g: '%s'", what, minimum,
                   maximum, text);
    else
        return number;
    return minimum;
}

int64_t
words_parse_integer(struct words *words, const char *what, const char *text,
                    int64_t minimum, int64_t maximum)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        words_fail(words, "%s is not a whole number: '%s'", what, text);
    else if (number < minimum || number > maximum)
        words_fail(words, "%s must be from %lld to %lld: '%s'", what,
                   (long long)minimum, (long long)maximum, text);
    else
        return number;
    return minimum;
}

double
words_number(struct words *words, const char *key, double minimum,
             double maximum)
{
    return words_parse_number(words, key, words_text(words, key), minimum,
                              maximum);
}

double
words_number_or(struct words *words, const char *key, double minimum,
                double maximum, double fallback)
{
    const char *value = words_find(words, key);
    return value ? words_parse_number(words, key, value, minimum, maximum)
                 : fallback;
}

int64_t
words_integer(struct words *words, const char *key, int64_t minimum,
              int64_t maximum)
{
    return words_parse_integer(words, key, words_text(words, key), minimum,
                               maximum);
}

int64_t
words_integer_or(struct words *words, const char *key, int64_t minimum,
                 int64_t maximum, int64_t fallback)
{
    const char *value = words_find(words, key);
    return value ? words_parse_integer(words, key, value, minimum, maximum)
                 : fallback;
}

int
words_choice(struct words *words, const char *key, const char *const *names,
             int count)
{
    const char *value = words_text(words, key);
    for (int i = 0; i < count; i++)
        if (!strcmp(value, names[i]))
            return i;
    words_fail(words, "unknown %s '%s'", key, value);
    return 0;
}

void
words_check_used(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        if (!words->is_used[i])
            words_fail(words, "unexpected '%s'", words->items[i]);
}
