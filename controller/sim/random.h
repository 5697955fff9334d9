/*
 * Chance, from a seed: the same seed gives the same numbers on every machine. (SplitMix64, from Steele,
 * Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/** The next 64 bits. */
uint64_t random_next(struct random *r);
/** A number from @low to @high, both included. */
int64_t random_range(struct random *r, int64_t low, int64_t high);
/** True @percent times of a hundred. */
bool random_chance(struct random *r, int percent);
/** From the exponential distribution with that mean. */
double random_exponential(struct random *r, double mean);
