libsecurity_SRCS := $(sort $(wildcard libsecurity/src/*.c))
# What can be built for a device without an operating system.
libsecurity_BARE := $(shell grep -LE '^.include <(cjson|dirent|errno|fcntl|poll|pwd|signal|sys|termios|unistd)[./]' $(libsecurity_SRCS))
# Crypto providers, one archive each; what comes from libsodium is in all.
PROVIDERS := mbedtls openssl
libsecurity_mbedtls_SRCS := $(sort $(wildcard libsecurity/mbedtls/*.c))
libsecurity_openssl_SRCS := $(sort $(wildcard libsecurity/openssl/*.c))
libsecurity_sodium_SRCS := $(sort $(wildcard libsecurity/sodium/*.c))
