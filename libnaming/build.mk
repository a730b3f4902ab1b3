libnaming_SRCS := $(filter-out $(if $(NO_EV),%_ev.c),$(sort $(wildcard libnaming/src/*.c)))
# mDNS, where its library is installed.
AVAHI := $(if $(NO_EV),,$(call has_pkg,avahi-core))
libnaming_avahi_SRCS := $(if $(AVAHI),$(sort $(wildcard libnaming/avahi/*.c)))
