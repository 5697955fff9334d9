/*
 * Who may negotiate with a schedd, by its ALLOW_NEGOTIATOR.
 */
#pragma once

#include <stdbool.h>

/**
 * Whether the list @value ("condor@* condor_pool@*, cm.example.org") can admit the negotiator of
 * @central_manager (host:port), whose identity is of @trust_domain.
 */
bool negotiators_admit(const char *value, const char *trust_domain, const char *central_manager);
