/* BSD-3-Clause; see LICENSE. */
/* Shared by the files about advertisements. */
#ifndef VNAME_DISCOVERY_INT_H
#define VNAME_DISCOVERY_INT_H

#include <vname/discovery.h>

/* What of it is not text that can be shown to people; NULL = nothing. */
const char *vname_ad_fault_(const v23_lib_discovery_ad_info *info);

#endif
