libvom_SRCS := $(sort $(wildcard libvom/src/*.c))
# Descriptors the VDL compiler needs before it can generate any.
libvom_BOOT := $(sort $(wildcard libvom/boot/*.c))
# Code on top of the generated standard packages (time, signature).
libvom_STD  := $(sort $(wildcard libvom/std/*.c))
