/*
 * What libFuzzer calls: one input, which must neither crash, nor leak, nor break a rule.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
