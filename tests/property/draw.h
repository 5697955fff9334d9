/*
 * Where the random choices of the tests come from: a byte string (a fuzzer's), or a seed. A byte
 * string that is used up goes on with zeros, and zero is always the plainest choice, so a fuzzer
 * that shortens its input makes the case plainer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct draw {
    const unsigned char *bytes; /* NULL: from @state */
    size_t n;
    uint64_t state;
};

struct draw draw_from_bytes(const void *bytes, size_t n);
/** The stream of case number @number of @seed; near numbers give unrelated streams. */
struct draw draw_from_seed(uint64_t seed, uint64_t number);

/** A number of [@low, @high]; @low is the plainest. */
int64_t draw_range(struct draw *d, int64_t low, int64_t high);
/** True in @percent of 100 cases; false is the plainest. */
bool draw_chance(struct draw *d, int percent);
/** An index below @n, which is not 0. */
size_t draw_index(struct draw *d, size_t n);
/** One of an array. */
#define DRAW_ONE(d, array) ((array)[draw_index((d), sizeof(array) / sizeof((array)[0]))])
/** Shuffle @n objects of @size bytes. */
void draw_shuffle(struct draw *d, void *array, size_t n, size_t size);
