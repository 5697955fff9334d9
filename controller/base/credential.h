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
/** The folder that they are in; NULL: no service manager handed over any. */
const char *credential_folder(void);
/**
 * To be called once, when the program starts: HTCondor's tools take keys and tokens only from files
 * that belong to who runs them and that nobody else may read (seen with 23.9.6; condor_token_list
 * is less strict). Where the service manager let us read files of root's by an access list instead
 * (systemd 257; 252 makes them ours), all are copied to $RUNTIME_DIRECTORY/credentials, and
 * $CREDENTIALS_DIRECTORY and each other variable that names the folder name that one from then on.
 * Returns 0 or -errno.
 */
int credential_settle(struct err *e);
