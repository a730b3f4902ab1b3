libwspr_SRCS := $(sort $(wildcard libwspr/src/*.c))
