#include "sim/random.h"

#include <assert.h>
#include <math.h>

uint64_t random_next(struct random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int64_t random_range(struct random *r, int64_t low, int64_t high)
{
    assert(low <= high);
    return low + (int64_t)(random_next(r) % (uint64_t)(high - low + 1));
}

bool random_chance(struct random *r, int percent)
{
    return random_range(r, 0, 99) < percent;
}

double random_exponential(struct random *r, double mean)
{
    double u = (double)(random_next(r) >> 11) / 9007199254740992.0; /* 53 bits: 0 <= u < 1 */
    return -log(1.0 - u) * mean;
}
