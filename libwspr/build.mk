libwspr_SRCS := $(filter-out $(if $(NO_EV),%_ev.c),$(sort $(wildcard libwspr/src/*.c)))
