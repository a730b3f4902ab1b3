libnaming_SRCS := $(sort $(wildcard libnaming/src/*.c))
