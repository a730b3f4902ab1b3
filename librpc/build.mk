librpc_SRCS := $(sort $(wildcard librpc/src/*.c))
