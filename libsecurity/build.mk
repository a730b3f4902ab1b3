libsecurity_SRCS := $(sort $(wildcard libsecurity/src/*.c))
# Crypto providers, one archive each.
libsecurity_mbedtls_SRCS := $(sort $(wildcard libsecurity/mbedtls/*.c))
