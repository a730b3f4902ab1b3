/* BSD-3-Clause; see LICENSE. */
/* The --v23.virtualized.* flags. */
#include <stdlib.h>

#include "flags_int.h"

static bool provider_named(const char *value, enum vrpc_provider *out)
{
    struct vdl_str v = vdl_str(value);

    if (v.n == 0)
        *out = VRPC_PROVIDER_NATIVE;
    else if (vdl_str_eq_nocase(v, vdl_str("aws")))
        *out = VRPC_PROVIDER_AWS;
    else if (vdl_str_eq_nocase(v, vdl_str("gcp")))
        *out = VRPC_PROVIDER_GCP;
    else
        return false;
    return true;
}

/* V23_VIRTUALIZATION_PROVIDER beats V23_EXPECT_GOOGLE_COMPUTE_ENGINE. */
void vrpc_flags_provider_(struct vrpc_flags *f)
{
    const char *name = getenv("V23_VIRTUALIZATION_PROVIDER");
    const char *gce = getenv("V23_EXPECT_GOOGLE_COMPUTE_ENGINE");

    if (gce != NULL && *gce != 0)
        f->provider = VRPC_PROVIDER_GCP;
    if (name != NULL && *name != 0)
        (void)provider_named(name, &f->provider);
}

static int set_docker(struct vrpc_flags *f, const char *value,
    const char **why)
{
    return vrpc_flags_bool_(value, &f->docker, why);
}

static int set_no_fallback(struct vrpc_flags *f, const char *value,
    const char **why)
{
    return vrpc_flags_bool_(value, &f->no_native_fallback, why);
}

static int set_advertise(struct vrpc_flags *f, const char *value,
    const char **why)
{
    return vrpc_flags_bool_(value, &f->advertise_private, why);
}

static int set_provider(struct vrpc_flags *f, const char *value,
    const char **why)
{
    return provider_named(value, &f->provider) ? 0
        : vrpc_flags_bad_(why, "not one of aws, gcp, or empty");
}

static int set_public_protocol(struct vrpc_flags *f, const char *value,
    const char **why)
{
    const char *name = *value == 0 ? "" : vrpc_flags_protocol_(value);

    if (name == NULL)
        return vrpc_flags_bad_(why, "not a protocol");
    f->public_protocol = vdl_str(name);
    return 0;
}

/* Checked here, used as it is. */
static int public_text(struct vrpc_flags *f, const char *value,
    struct vdl_str *out, const char **why)
{
    struct vdl_str host, port;
    int rc = vrpc_flags_split_(vdl_str(value), &host, &port, why);

    return rc != 0 ? rc : vrpc_flags_dup_(f, value, out);
}

static int set_public_address(struct vrpc_flags *f, const char *value,
    const char **why)
{
    return public_text(f, value, &f->public_address, why);
}

static int set_public_name(struct vrpc_flags *f, const char *value,
    const char **why)
{
    return public_text(f, value, &f->public_name, why);
}

const struct vrpc_flag_ vrpc_flags_cloud_[VRPC_FLAGS_CLOUD_] = {
    { "v23.virtualized.docker", true, set_docker },
    { "v23.virtualized.provider", false, set_provider },
    { "v23.virtualized.disallow-native-fallback",
        true, set_no_fallback },
    { "v23.virtualized.tcp.public-protocol", false, set_public_protocol },
    { "v23.virtualized.tcp.public-address", false, set_public_address },
    { "v23.virtualized.dns.public-name", false, set_public_name },
    { "v23.virtualized.advertise-private-addresses",
        true, set_advertise },
};
