/* BSD-3-Clause; see LICENSE. */
/* What both sides of the exec protocol agree on. */
#ifndef VRPC_EXEC_INT_H
#define VRPC_EXEC_INT_H

/* Of the child. */
#define VRPC_EXEC_DATA_FD_ 3
#define VRPC_EXEC_STATUS_FD_ 4

#define VRPC_EXEC_VERSION_VAR_ "V23_EXEC_VERSION"
#define VRPC_EXEC_CONFIG_VAR_ "V23_EXEC_CONFIG"

/* Do not leave it to programs that this process becomes. */
void vrpc_exec_cloexec_(int fd);

#endif
