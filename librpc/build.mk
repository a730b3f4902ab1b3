librpc_SRCS := $(filter-out $(if $(NO_EV),%_ev.c),$(sort $(wildcard librpc/src/*.c)))
