cmd_vdl_SRCS := $(sort $(wildcard cmd/vdl/*.c))
# program:highest layer it uses
CMDS := $(foreach c,vdl:libvom vom:libvom vomtestgen:libvom principal:libnaming \
	mounttabled:libnaming mounttable:libnaming namespace:libnaming \
	vrpc:libnaming dischargerd:libnaming agentd:libnaming vbecome:libnaming \
	vrun:libnaming fortuned:libnaming fortune:libnaming debug:libnaming \
	helloserver:libnaming helloclient:libnaming stressd:libnaming \
	stress:libnaming rpcbenchd:libnaming rpcbench:libnaming \
	gclogs:libvom uniqueid:libvom mtstress:libnaming xproxyd:libnaming \
	wsprd:libwspr servicerunner:libwspr,\
	$(if $(wildcard cmd/$(firstword $(subst :, ,$(c)))/*.c),$(c)))
