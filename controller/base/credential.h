/*
 * Secrets that the service manager hands over (LoadCredential=, systemd.exec(5)): root keeps the
 * files, and each is a file of its name in $CREDENTIALS_DIRECTORY for as long as the service runs.
 * In the policy "credential:NAME" stands where the path of such a file could.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/** What is after "credential:" in @value; NULL: it is a path. */
const char *credential_name(const char *value);
/** Whether systemd would take a credential of that name. */
bool credential_name_valid(const char *name);
/** The file of the credential @name, owned by the caller (free); NULL: we were given none such. */
char *credential_find(const char *name);
/**
 * The file that a secret in the policy is in: that of a credential, or @value itself. Returns 0 and
 * the path (owned by the caller, free), or -ENOENT: no such credential.
 */
int credential_path(const char *value, char **ret, struct err *e);
/**
 * A folder in which the credential @name, which there is, is a file that belongs to us and that
 * nobody else may read: HTCondor reads a key from no other (seen with 23.9.6). That is the
 * credentials' own folder, or, where systemd gave us the file by an access list (tmpfs instead of
 * ramfs), $RUNTIME_DIRECTORY/credentials with a copy. Returns 0 and the folder (owned by the
 * caller, free), or -errno.
 */
int credential_folder(const char *name, char **ret, struct err *e);
