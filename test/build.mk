# program:highest layer it uses
TESTPROGS := $(foreach c,typetester:libnaming runner:libwspr echo-server:libnaming \
	echo-client:libnaming pingpong:libsecurity testd:libnaming \
	cli:libvom vombench:librpc secbench:libsecurity sim:librpc vdl:libvom pty:libvom idp:libnaming \
	memscan:libvom roled:libnaming parent:libnaming permload:libnaming tablebench:libnaming \
	hostile:librpc valuetext:librpc wsprclient:libwspr mdnsflood:libvom \
	$(if $(AVAHI),advertise:libnaming),\
	$(if $(wildcard test/$(firstword $(subst :, ,$(c)))/*.c test/interop/$(firstword $(subst :, ,$(c)))/*.c),$(c)))
fuzz_naming_LAYER := libnaming
fuzz_etcd_LAYER := libnaming
fuzz_journal_LAYER := libnaming
fuzz_agent_LAYER := libsecurity
fuzz_ws_LAYER := librpc
fuzz_x509_LAYER := libsecurity
fuzz_blessings_LAYER := libsecurity
fuzz_key_LAYER := libsecurity
fuzz_perms_LAYER := libsecurity
fuzz_stream_LAYER := libsecurity
fuzz_message_LAYER := librpc
fuzz_endpoint_LAYER := librpc
fuzz_conn_LAYER := librpc
fuzz_conn_INC := -Itest/support
fuzz_conn_OBJS = $(support_OBJS)
fuzz_call_LAYER := librpc
fuzz_call_INC := -Itest/support
fuzz_call_OBJS = $(support_OBJS)
fuzz_wspr_json_LAYER := libwspr
fuzz_wspr_LAYER := libwspr
fuzz_wspr_INC := -Itest/support
fuzz_wspr_OBJS = $(support_OBJS)
fuzz_mdns_LAYER := libnaming
fuzz_mdns_LIBS := -lz
fuzz_wspr_j3_LAYER := libwspr
fuzz_wspr_j3_INC := -Itest/support
fuzz_wspr_j3_OBJS = $(support_OBJS)
