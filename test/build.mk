# program:highest layer it uses
TESTPROGS := $(foreach c,runner:libwspr,\
	$(if $(wildcard test/$(firstword $(subst :, ,$(c)))/*.c),$(c)))
