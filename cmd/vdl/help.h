/* BSD-3-Clause; see LICENSE. */
/** Help texts of the vdl command. */
#ifndef VDL_HELP_H
#define VDL_HELP_H

#include <v23/cmdline.h>

extern const char help_vdl[], help_generate[], help_compile[], help_audit[],
    help_list[], help_packages[], help_out_dir[], help_mode[],
    help_parts[];
extern const struct v23_topic help_topics[5];

#endif
