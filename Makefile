# BSD-3-Clause; see LICENSE.
# Vanadium in C. `make help` lists the targets. One non-recursive Makefile;
# every folder's build.mk only lists its files.

BUILD   ?= build
CC      ?= gcc
AR      ?= ar
HOSTCC  ?= cc
PREFIX  ?= /usr/local
DESTDIR ?=
CRYPTO  ?= mbedtls
SAN     ?=
# NO_EV=1 leaves out everything that needs libevent (cross builds of the cores).
NO_EV   ?=
# Prefix that runs a test program, such as an emulator.
EXEC    ?=
V       ?=
-include config.mak
ifneq ($(CROSS_COMPILE),)
CC := $(CROSS_COMPILE)gcc
AR := $(CROSS_COMPILE)ar
endif

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(patsubst $(BUILD)/%,%,$(2));)

LIBS := libvom libsecurity librpc libnaming libwspr
has_pkg = $(shell pkg-config --exists $(1) 2>/dev/null && echo 1)

WARN := -Wall -Wextra -Werror -Wpedantic -Wshadow -Wconversion \
	-Wsign-conversion -Wcast-qual -Wstrict-prototypes \
	-Wmissing-prototypes -Wundef -Wvla -Wimplicit-fallthrough
# Generated sources and the output of flex and bison: everything but what
# those tools are known to break.
GENWARN := -Wall -Wextra -Werror -Wno-unused-function -Wno-sign-compare
OPT     ?= -O2 -g
CFLAGS  ?=
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
	-fno-sanitize-recover=all)
STD     := -std=c11 -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 \
	-ffunction-sections -fdata-sections
ALLCFLAGS = $(STD) $(OPT) $(SANFLAGS) $(if $(FUZZ),-fsanitize=fuzzer-no-link) $(CFLAGS)
# Bound at start: the resolver of lazy binding saves vector registers to the
# stack, and with them whatever secret was copied last.
ALLLDFLAGS = $(SANFLAGS) -Wl,--gc-sections -Wl,-z,relro,-z,now $(LDFLAGS)
HOSTCFLAGS ?= $(STD) -O1 -g

.PHONY: all help check demo web deps deps-ci layers symbols vectors bench bench-vom bench-security bench-naming bench-table sim size size-host size-arm \
	install uninstall clean test-programs format headers-cxx unit \
	cross-programs fuzz FORCE
.DELETE_ON_ERROR:
.SECONDARY:
all:

include $(LIBS:%=%/build.mk) cmd/build.mk test/build.mk

# ---- layers: include path and link line of each library ---------------------

below_libvom      := libvom
below_libsecurity := libsecurity libvom
below_librpc      := librpc $(below_libsecurity)
below_libnaming   := libnaming $(below_librpc)
below_libwspr     := libwspr $(below_libnaming)

inc_of = $(foreach l,$(below_$(1)),-I$(l)/include -I$(BUILD)/gen/$(l)) -I$(1)/src

a_libvom      := $(BUILD)/lib/libvom.a
# The copy of a provider is new when another one is chosen: programs are linked
# anew, and nothing else is built again.
a_libsecurity := $(BUILD)/lib/libsecurity.a $(BUILD)/crypto/provider.a $(a_libvom)
a_librpc      := $(BUILD)/lib/librpc.a $(a_libsecurity)
a_libnaming   := $(BUILD)/lib/libnaming.a $(a_librpc)
a_libwspr     := $(BUILD)/lib/libwspr.a $(a_libnaming)

sys_crypto_mbedtls := -lmbedx509 -lmbedcrypto -lsodium
sys_crypto_openssl := -lcrypto -lsodium
sys_libvom      := -lm
sys_libsecurity := $(sys_crypto_$(CRYPTO)) -lcjson -lm
sys_librpc      := $(if $(NO_EV),,-levent_core -levent_extra -lwslay) $(sys_libsecurity) -lpthread
sys_libnaming   := $(sys_librpc)
# An archive of its own: nothing else needs the mDNS library.
a_avahi         := $(if $(AVAHI),$(BUILD)/lib/libnaming-avahi.a)
sys_avahi       := $(if $(AVAHI),-lavahi-core -lavahi-common)
sys_libwspr     := $(sys_libnaming)

# ---- the VDL compiler, built first for the build machine --------------------

VDL := $(BUILD)/host/vdl
host_vdl_srcs := $(libvom_SRCS) $(libvom_BOOT) $(cmd_vdl_SRCS)
host_vdl_objs := $(host_vdl_srcs:%.c=$(BUILD)/host/%.o) \
	$(BUILD)/host/cmd/vdl/grammar.o $(BUILD)/host/cmd/vdl/lexer.o
host_vdl_inc  := -Ilibvom/include -Ilibvom/src -Icmd/vdl -I$(BUILD)/gen/cmd/vdl

$(BUILD)/gen/cmd/vdl/grammar.c: cmd/vdl/grammar.y
	@mkdir -p $(@D)
	$(call say,BISON,$@) bison -Wall -Werror -d -o $@ $<
$(BUILD)/gen/cmd/vdl/grammar.h: $(BUILD)/gen/cmd/vdl/grammar.c ;
$(BUILD)/gen/cmd/vdl/lexer.c: cmd/vdl/lexer.l
	@mkdir -p $(@D)
	$(call say,FLEX,$@) flex -o $@ $<
$(BUILD)/host/cmd/vdl/%.o: $(BUILD)/gen/cmd/vdl/%.c $(BUILD)/gen/cmd/vdl/grammar.h
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@) $(HOSTCC) $(HOSTCFLAGS) $(GENWARN) $(host_vdl_inc) -MMD -MP -c -o $@ $<
$(BUILD)/host/%.o: %.c $(BUILD)/gen/cmd/vdl/grammar.h
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@) $(HOSTCC) $(HOSTCFLAGS) $(WARN) $(host_vdl_inc) -MMD -MP -c -o $@ $<
$(VDL): $(host_vdl_objs)
	$(call say,HOSTLD,$@) $(HOSTCC) $(HOSTCFLAGS) -o $@ $(host_vdl_objs) -lmbedcrypto -lm

# ---- generated wire types ---------------------------------------------------

# $(1) = library. Packages are the folders below libX/vdl that hold .vdl files.
define gen_rules
$(1)_VDL_FILES := $$(shell find $(1)/vdl -name '*.vdl' 2>/dev/null | sort)
$(1)_VDL_DIRS  := $$(sort $$(patsubst %/,%,$$(dir $$($(1)_VDL_FILES))))
$(1)_VDL_RPC   := $$(sort $$(patsubst %/,%,$$(dir $$(shell \
	find $(1)/vdl -name '*.vdl' 2>/dev/null | xargs -r grep -lE '^type [A-Za-z0-9_]+ interface'))))
$(1)_VDL_PKGS  := $$($(1)_VDL_DIRS:$(1)/vdl/%=%)
$(1)_GEN_C := $$(foreach d,$$($(1)_VDL_PKGS),$(BUILD)/gen/$(1)/v23/vdl/$$(d)/$$(notdir $$(d)).vdl.c) \
	$$(foreach d,$$($(1)_VDL_RPC:$(1)/vdl/%=%),$(BUILD)/gen/$(1)/v23/vdl/$$(d)/$$(notdir $$(d)).rpc.c)
$(1)_stamp := $$(if $$($(1)_VDL_FILES),$(BUILD)/gen/$(1).stamp)
$(BUILD)/gen/$(1).stamp: $$($(1)_VDL_FILES) $(VDL) $$(foreach l,$$(filter-out $(1),$$(below_$(1))),$$($$(l)_stamp))
	@mkdir -p $$(@D)
	$$(call say,VDL,$(1)) VDLPATH=$$(subst $$(space),:,$$(addsuffix /vdl,$$(below_$(1)))) \
	  $(VDL) generate -status=false -lang=C -shipped -deps=false -c-out-dir=$(BUILD)/gen/$(1)/v23/vdl $$($(1)_VDL_PKGS)
	@touch $$@
$$($(1)_GEN_C): $(BUILD)/gen/$(1).stamp ;
endef
empty :=
comma := ,
hash := \#
space := $(empty) $(empty)
# Lowest layer first: a stamp depends on those below.
$(foreach l,$(LIBS),$(eval $(call gen_rules,$(l))))
stamps_of = $(foreach l,$(below_$(1)),$($(l)_stamp))

# ---- libraries --------------------------------------------------------------

# $(1) = library, $(2) = archive base name, $(3) = sources, $(4) = generated C,
# $(5) = objects of others that go into the archive too
define lib_rules
$(2)_OBJS := $(3:%.c=$(BUILD)/obj/%.o) $(4:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o)
$(BUILD)/lib/$(2).a: $$($(2)_OBJS) $(5)
	@mkdir -p $$(@D)
	$$(call say,AR,$$@) rm -f $$@ && $(AR) rcsD $$@ $$^
$$($(2)_OBJS): | $$(call stamps_of,$(1))
$(3:%.c=$(BUILD)/obj/%.o): $(BUILD)/obj/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@) $(CC) $$(ALLCFLAGS) $(WARN) $$(call inc_of,$(1)) -MMD -MP -c -o $$@ $$<
$(4:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o): $(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@) $(CC) $$(ALLCFLAGS) $(GENWARN) $$(call inc_of,$(1)) -MMD -MP -c -o $$@ $$<
endef
$(eval $(call lib_rules,libvom,libvom,$(libvom_SRCS) $(libvom_BOOT) $(libvom_STD),$(libvom_GEN_C)))
$(eval $(call lib_rules,libsecurity,libsecurity,$(libsecurity_SRCS),$(libsecurity_GEN_C)))
$(eval $(call lib_rules,libsecurity,sodium,$(libsecurity_sodium_SRCS),))
$(foreach p,$(PROVIDERS),$(eval $(call lib_rules,libsecurity,libsecurity-$(p),$(libsecurity_$(p)_SRCS),,$(sodium_OBJS))))
$(eval $(call lib_rules,librpc,librpc,$(librpc_SRCS),$(librpc_GEN_C)))
$(eval $(call lib_rules,libnaming,libnaming,$(libnaming_SRCS),$(libnaming_GEN_C)))
$(eval $(call lib_rules,libnaming,libnaming-avahi,$(libnaming_avahi_SRCS),))
$(eval $(call lib_rules,libwspr,libwspr,$(libwspr_SRCS),$(libwspr_GEN_C)))
all: $(LIBS:%=$(BUILD)/lib/%.a) $(BUILD)/lib/libsecurity-$(CRYPTO).a $(a_avahi)
$(BUILD)/crypto/provider.a: $(BUILD)/lib/libsecurity-$(CRYPTO).a FORCE
	@mkdir -p $(@D)
	$(Q)cmp -s $< $@ || cp $< $@

# Where the compiler happens to put the coder's inner loops makes a sixth of
# their speed; any change elsewhere moves them. $(1) = flags
cc_takes = $(shell echo 'int x;' | $(CC) -Werror $(1) -xc -c -o /dev/null - 2>/dev/null && echo '$(1)')
HOT_OBJS := $(patsubst %,$(BUILD)/obj/libvom/src/%.o,enc_value dec_value)
$(HOT_OBJS): OPT += $(call cc_takes,-falign-functions=64 -falign-loops=64) $(call cc_takes,-falign-jumps=32)

# ---- programs: cmd/<name>/*.c -> build/bin/<name> ---------------------------

# Programs that speak mDNS are told whether there is a library that does.
avahi_text := \#define VNAME_HAVE_AVAHI $(or $(AVAHI),0)\n
$(BUILD)/gen/avahi/have_avahi.h: FORCE
	@mkdir -p $(@D)
	@printf '$(avahi_text)' | cmp -s - $@ || printf '$(avahi_text)' >$@
$(patsubst %,$(BUILD)/obj/cmd/%.o,mounttabled/engine_ev debug/discovery): $(BUILD)/gen/avahi/have_avahi.h
cmd_mounttabled_EXTRA_OBJS := $(a_avahi)
cmd_mounttabled_INC := -I$(BUILD)/gen/avahi
cmd_mounttabled_LIBS := $(sys_avahi)

# $(1) = name, $(2) = top layer it uses
define cmd_rules
cmd_$(1)_OBJS := $$(patsubst %.c,$(BUILD)/obj/%.o,$$(wildcard cmd/$(1)/*.c))
$$(cmd_$(1)_OBJS): $(BUILD)/obj/%.o: %.c | $$(call stamps_of,$(2)) $$(cmd_$(1)_STAMP)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@) $(CC) $$(ALLCFLAGS) $(WARN) $$(call inc_of,$(2)) -I$(BUILD)/gen/cmd -Icmd/$(1) -I$(BUILD)/gen/cmd/$(1) $$(cmd_$(1)_INC) -MMD -MP -c -o $$@ $$<
$(BUILD)/bin/$(1): $$(cmd_$(1)_OBJS) $$(cmd_$(1)_EXTRA_OBJS) $$(a_$(2))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@) $(CC) $$(ALLLDFLAGS) -o $$@ $$(cmd_$(1)_OBJS) $$(cmd_$(1)_EXTRA_OBJS) $$(a_$(2)) $$(sys_$(2)) $$(cmd_$(1)_LIBS)
all: $(BUILD)/bin/$(1)
endef

# Interfaces of single programs and of the tests: $(1) = name of the generated
# tree, $(2) = VDL root, $(3) = package path, $(4) = folder for its output,
# $(5) = vdl rpc, or vdl if the package declares no interface.
define extra_vdl
$(1)_vdl_stamp := $(BUILD)/gen/$(1).stamp
$(BUILD)/gen/$(1).stamp: $(wildcard $(2)/$(3)/*.vdl $(2)/$(3)/*.config) $(VDL) $$(stamps_of_librpc)
	@mkdir -p $$(@D)
	$$(call say,VDL,$(3)) VDLPATH=$(2):$$(subst $$(space),:,$$(addsuffix /vdl,$$(below_librpc))) \
	  $(VDL) generate -status=false -lang=C -shipped -deps=false -c-out-dir=$(BUILD)/gen/$(1)$(4) $(3)
	@touch $$@
$(1)_gen_c := $(foreach k,$(5),$(BUILD)/gen/$(1)$(4)/$(3)/$(notdir $(3)).$(k).c)
$$($(1)_gen_c): $(BUILD)/gen/$(1).stamp ;
$(1)_gen_objs := $$($(1)_gen_c:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o)
$$($(1)_gen_objs): $(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c | $$(stamps_of_librpc)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@) $(CC) $$(ALLCFLAGS) $(GENWARN) $$(call inc_of,librpc) -I$(BUILD)/gen/$(1) -MMD -MP -c -o $$@ $$<
endef
stamps_of_librpc := $(call stamps_of,librpc)
$(eval $(call extra_vdl,cmd,cmd/fortune/vdl,v.io/x/ref/examples/fortune,/v23/vdl,vdl rpc))
$(eval $(call extra_vdl,hello,cmd/helloserver/vdl,v.io/x/ref/test/hello,/v23/vdl,vdl rpc))
$(eval $(call extra_vdl,stress,cmd/stressd/vdl,v.io/x/ref/runtime/internal/rpc/stress,/v23/vdl,vdl rpc))
$(eval $(call extra_vdl,rpcbench,cmd/rpcbenchd/vdl,v.io/x/ref/runtime/internal/rpc/benchmark,/v23/vdl,vdl rpc))
$(eval $(call extra_vdl,test,test/interop/vdl,example.org/oracle/echo,,vdl rpc))
$(eval $(call extra_vdl,typetester,test/typetester/vdl,v.io/x/ref/cmd/vrpc/internal,,vdl rpc))
$(eval $(call extra_vdl,vombench,test/vombench/vdl,example.org/bench,,vdl))
$(eval $(call extra_vdl,held,libvom/test/vdl,example.org/held,,vdl))
cmd_fortune_EXTRA_OBJS := $(cmd_gen_objs)
cmd_fortuned_EXTRA_OBJS := $(cmd_gen_objs)
cmd_fortune_STAMP := $(cmd_vdl_stamp)
cmd_fortuned_STAMP := $(cmd_vdl_stamp)
# $(1) = program, $(2) = generated tree
define cmd_of_tree
cmd_$(1)_EXTRA_OBJS := $$($(2)_gen_objs)
cmd_$(1)_STAMP := $$($(2)_vdl_stamp)
cmd_$(1)_INC := -I$(BUILD)/gen/$(2)
endef
$(foreach p,helloserver helloclient,$(eval $(call cmd_of_tree,$(p),hello)))
$(foreach p,stress stressd,$(eval $(call cmd_of_tree,$(p),stress)))
$(foreach p,rpcbench rpcbenchd,$(eval $(call cmd_of_tree,$(p),rpcbench)))
cmd_stress_EXTRA_OBJS += $(BUILD)/obj/cmd/stressd/sum.o
cmd_stress_INC += -Icmd/stressd

# The installed vdl is compiled for the target like any other program.
cmd_vdl_EXTRA_OBJS := $(BUILD)/obj/gen/cmd/vdl/grammar.o $(BUILD)/obj/gen/cmd/vdl/lexer.o
cmd_vdl_LIBS := -lmbedcrypto
$(cmd_vdl_EXTRA_OBJS): $(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/gen/cmd/vdl/grammar.h
	@mkdir -p $(@D)
	$(call say,CC,$@) $(CC) $(ALLCFLAGS) $(GENWARN) -Ilibvom/include -Icmd/vdl -I$(BUILD)/gen/cmd/vdl -MMD -MP -c -o $@ $<
# All of it but main(), for vomtestgen, the arguments of vrpc and principal, and
# the tests.
vdl_front_OBJS := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %/main.c,$(cmd_vdl_SRCS))) $(cmd_vdl_EXTRA_OBJS)
vdl_front_INC := -Icmd/vdl -I$(BUILD)/gen/cmd/vdl
$(foreach p,vomtestgen vrpc principal,$(eval cmd_$(p)_EXTRA_OBJS := $(vdl_front_OBJS)) \
	$(eval cmd_$(p)_INC := $(vdl_front_INC)) \
	$(eval cmd_$(p)_LIBS := $(cmd_vdl_LIBS)))
# What runs commands with an agent, and gives them names.
cmd_vbecome_EXTRA_OBJS := $(BUILD)/obj/cmd/agentd/child.o $(BUILD)/obj/cmd/vrun/become.o
cmd_vrun_EXTRA_OBJS := $(BUILD)/obj/cmd/agentd/child.o
cmd_vbecome_INC := -Icmd/agentd -Icmd/vrun
cmd_vrun_INC := -Icmd/agentd
# debug asks as vrpc does, and carries its pages with it.
debug_web := $(sort $(wildcard cmd/debug/web/*))
$(BUILD)/gen/cmd/debug/assets.c: cmd/debug/embed.sh $(debug_web)
	@mkdir -p $(@D)
	$(call say,EMBED,$@) sh $< $(debug_web) >$@
$(BUILD)/obj/gen/cmd/debug/assets.o: $(BUILD)/gen/cmd/debug/assets.c cmd/debug/assets.h
	@mkdir -p $(@D)
	$(call say,CC,$@) $(CC) $(ALLCFLAGS) $(GENWARN) -Icmd/debug -c -o $@ $<
cmd_debug_EXTRA_OBJS := $(BUILD)/obj/cmd/vrpc/ask.o $(BUILD)/obj/gen/cmd/debug/assets.o $(a_avahi)
cmd_debug_INC := -Icmd/vrpc -I$(BUILD)/gen/avahi
cmd_debug_LIBS := $(sys_avahi) -lz
# wsprd carries the JavaScript client and its demonstration.
wsprd_web := $(sort $(wildcard libwspr/js/*.js libwspr/js/demo/*.html libwspr/js/demo/*.css libwspr/js/demo/*.js libwspr/js/demo/*.svg))
$(BUILD)/gen/cmd/wsprd/assets.c: cmd/debug/embed.sh $(wsprd_web)
	@mkdir -p $(@D)
	$(call say,EMBED,$@) sh $< $(wsprd_web) >$@
$(BUILD)/obj/gen/cmd/wsprd/assets.o: $(BUILD)/gen/cmd/wsprd/assets.c cmd/debug/assets.h
	@mkdir -p $(@D)
	$(call say,CC,$@) $(CC) $(ALLCFLAGS) $(GENWARN) -Icmd/debug -c -o $@ $<
cmd_wsprd_EXTRA_OBJS := $(BUILD)/obj/gen/cmd/wsprd/assets.o
cmd_wsprd_INC := -Icmd/debug
$(foreach c,$(CMDS),$(eval $(call cmd_rules,$(firstword $(subst :, ,$(c))),$(lastword $(subst :, ,$(c))))))
$(cmd_vdl_OBJS): $(BUILD)/gen/cmd/vdl/grammar.h

# ---- tests ------------------------------------------------------------------

# Tests of what only one provider has ask which one is the default.
TESTINC = -Itest/support
security_tests := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard libsecurity/test/*.c))
$(security_tests): private ALLCFLAGS += -DCRYPTO_$(CRYPTO)
$(security_tests): $(BUILD)/crypto/name
$(BUILD)/crypto/name: FORCE
	@mkdir -p $(@D)
	$(Q)echo $(CRYPTO) | cmp -s - $@ || echo $(CRYPTO) >$@
support_OBJS := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard test/support/*.c))
$(support_OBJS): $(BUILD)/obj/%.o: %.c | $(libvom_stamp)
	@mkdir -p $(@D)
	$(call say,CC,$@) $(CC) $(ALLCFLAGS) $(WARN) $(call inc_of,libvom) $(TESTINC) -MMD -MP -c -o $@ $<

CHECK_CFLAGS := $(shell pkg-config --cflags check 2>/dev/null)
CHECK_LIBS   := $(shell pkg-config --libs check 2>/dev/null || echo -lcheck)
# Check's own macros and its START_TEST functions do not pass every warning.
TESTWARN := $(filter-out -Wconversion -Wsign-conversion -Wpedantic -Wcast-qual -Wshadow -Wmissing-prototypes,$(WARN)) \
	-Wno-gnu-zero-variadic-macro-arguments

# $(1) = library
define unit_rules
$(1)_UNIT := $$(patsubst $(1)/test/%.c,$(BUILD)/test/%,$$(if $(NO_EV),$$(filter-out $(1)/test/test_ev%,$$(wildcard $(1)/test/test_*.c)),$$(wildcard $(1)/test/test_*.c)))
$$($(1)_UNIT): $(BUILD)/test/%: $(BUILD)/obj/$(1)/test/%.o $(support_OBJS) $$(a_$(1))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@) $(CC) $$(ALLLDFLAGS) -o $$@ $$(filter %.o,$$^) $$(a_$(1)) $$(sys_$(1)) $$($$(@F)_LIBS) $(CHECK_LIBS) -lcjson -lm
$$(patsubst %.c,$(BUILD)/obj/%.o,$$(wildcard $(1)/test/*.c)): $(BUILD)/obj/%.o: %.c | $$(call stamps_of,$(1))
	@mkdir -p $$(@D)
	$$(call say,CC,$$@) $(CC) $$(ALLCFLAGS) $(TESTWARN) $(CHECK_CFLAGS) $$(call inc_of,$(1)) $(TESTINC) -MMD -MP -c -o $$@ $$<
test-programs: $$($(1)_UNIT)
UNIT += $$($(1)_UNIT)
endef
$(foreach l,$(LIBS),$(eval $(call unit_rules,$(l))))
test_discovery_LIBS := -lz
$(BUILD)/test/test_held: $(held_gen_objs)
$(BUILD)/obj/libvom/test/test_held.o: ALLCFLAGS += -I$(BUILD)/gen/held
$(BUILD)/obj/libvom/test/test_held.o: | $(held_vdl_stamp)

# Programs of test/<name>/*.c: test/build.mk lists them as name:layer.
define testprog_rules
test_$(1)_OBJS := $$(patsubst %.c,$(BUILD)/obj/%.o,$$(wildcard test/$(1)/*.c test/interop/$(1)/*.c)) $$(test_$(1)_EXTRA_OBJS)
$$(filter-out $$(test_$(1)_EXTRA_OBJS),$$(test_$(1)_OBJS)): $(BUILD)/obj/%.o: %.c | $$(call stamps_of,$(2)) $$(test_$(1)_STAMP)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@) $(CC) $$(ALLCFLAGS) $(WARN) $$(call inc_of,$(2)) $(TESTINC) $$(test_$(1)_INC) -MMD -MP -c -o $$@ $$<
$(BUILD)/test/$(1): $$(test_$(1)_OBJS) $(support_OBJS) $$(a_$(2))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@) $(CC) $$(ALLLDFLAGS) -o $$@ $$(test_$(1)_OBJS) $(support_OBJS) $$(a_$(2)) $$(sys_$(2)) $$(test_$(1)_LIBS) -lcjson -lm
test-programs: $(BUILD)/test/$(1)
endef
echo_VARS := echo-server echo-client
$(foreach p,$(echo_VARS),$(eval test_$(p)_EXTRA_OBJS := $(test_gen_objs)) \
	$(eval test_$(p)_STAMP := $(test_vdl_stamp)) \
	$(eval test_$(p)_INC := -I$(BUILD)/gen/test -Itest/interop))
test_wsprclient_EXTRA_OBJS := $(test_gen_objs)
test_wsprclient_STAMP := $(test_vdl_stamp)
test_wsprclient_INC := -I$(BUILD)/gen/test
test_typetester_EXTRA_OBJS := $(typetester_gen_objs)
test_typetester_STAMP := $(typetester_vdl_stamp)
test_typetester_INC := -I$(BUILD)/gen/typetester
test_vombench_EXTRA_OBJS := $(vombench_gen_objs)
test_vombench_STAMP := $(vombench_vdl_stamp)
test_vombench_INC := -I$(BUILD)/gen/vombench
test_runner_EXTRA_OBJS := $(patsubst %,$(BUILD)/obj/test/cli/%.o,match run)
test_runner_INC := -Itest/cli
test_runner_LIBS := -lz -lresolv
test_advertise_EXTRA_OBJS := $(a_avahi)
test_advertise_LIBS := $(sys_avahi) -lz
test_valuetext_EXTRA_OBJS := $(patsubst %,$(BUILD)/obj/cmd/debug/%.o,value value_json)
test_valuetext_INC := -Icmd/debug
test_vdl_EXTRA_OBJS := $(vdl_front_OBJS)
test_vdl_INC := $(vdl_front_INC)
test_vdl_LIBS := $(cmd_vdl_LIBS)

# Codecs that libvom is measured beside, where they are installed.
PROTOBUF_C := $(if $(shell command -v protoc-c),$(call has_pkg,libprotobuf-c))
MSGPACK_C  := $(firstword $(foreach p,msgpack-c msgpack,$(if $(call has_pkg,$(p)),$(p))))
# Changes, and with it what includes it, when one of them comes or goes.
have_text := \#define VOMBENCH_PROTOBUF $(or $(PROTOBUF_C),0)\n\#define VOMBENCH_MSGPACK $(if $(MSGPACK_C),1,0)\n
$(BUILD)/gen/vombench/have.h: FORCE
	@mkdir -p $(@D)
	@printf '$(have_text)' | cmp -s - $@ || printf '$(have_text)' >$@
$(patsubst %,$(BUILD)/obj/test/vombench/%.o,main protobuf msgpack): $(BUILD)/gen/vombench/have.h
ifneq ($(PROTOBUF_C),)
test_vombench_INC += $(shell pkg-config --cflags libprotobuf-c)
test_vombench_LIBS += $(shell pkg-config --libs libprotobuf-c)
test_vombench_EXTRA_OBJS += $(BUILD)/obj/gen/vombench/bench.pb-c.o
$(BUILD)/gen/vombench/bench.pb-c.c: test/vombench/bench.proto
	@mkdir -p $(@D)
	$(call say,PROTOC,$@) protoc-c --proto_path=$(<D) --c_out=$(@D) $<
$(BUILD)/gen/vombench/bench.pb-c.h: $(BUILD)/gen/vombench/bench.pb-c.c ;
$(BUILD)/obj/test/vombench/protobuf.o: $(BUILD)/gen/vombench/bench.pb-c.h
$(BUILD)/obj/gen/vombench/bench.pb-c.o: $(BUILD)/gen/vombench/bench.pb-c.c
	@mkdir -p $(@D)
	$(call say,CC,$@) $(CC) $(ALLCFLAGS) $(GENWARN) -I$(<D) $(shell pkg-config --cflags libprotobuf-c) -MMD -MP -c -o $@ $<
endif
ifneq ($(MSGPACK_C),)
test_vombench_INC += $(shell pkg-config --cflags $(MSGPACK_C))
test_vombench_LIBS += $(shell pkg-config --libs $(MSGPACK_C))
endif

# libsecurity is measured with every provider that can be built here.
OPENSSL := $(if $(wildcard libsecurity/openssl/*.c),$(call has_pkg,libcrypto))
sec_have := \#define SECBENCH_OPENSSL $(or $(OPENSSL),0)\n
$(BUILD)/gen/secbench/have.h: FORCE
	@mkdir -p $(@D)
	@printf '$(sec_have)' | cmp -s - $@ || printf '$(sec_have)' >$@
$(patsubst %,$(BUILD)/obj/test/secbench/%.o,main providers): $(BUILD)/gen/secbench/have.h
test_secbench_INC := -I$(BUILD)/gen/secbench
other_crypto := $(filter-out $(CRYPTO),mbedtls $(if $(OPENSSL),openssl))
$(BUILD)/test/secbench: $(other_crypto:%=$(BUILD)/lib/libsecurity-%.a)
test_secbench_LIBS := $(other_crypto:%=$(BUILD)/lib/libsecurity-%.a) $(a_libvom) \
	$(foreach p,$(other_crypto),$(sys_crypto_$(p)))
$(foreach c,$(TESTPROGS),$(eval $(call testprog_rules,$(firstword $(subst :, ,$(c))),$(lastword $(subst :, ,$(c))))))

# Fuzz targets: test/fuzz/fuzz_X.c with the inputs test/fuzz/corpus/X, and
# fuzz_X_LAYER, _OBJS, _INC and _LIBS if it needs more than libvom. FUZZ=1 with
# clang links libFuzzer and compiles everything for it;
# else a target replays files.
FUZZERS := $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/fuzz_*.c))
define fuzz_rules
$(BUILD)/obj/test/fuzz/$(1).o: test/fuzz/$(1).c | $$(call stamps_of,$(2))
	@mkdir -p $$(@D)
	$$(call say,CC,$$@) $(CC) $$(ALLCFLAGS) $(WARN) $$(call inc_of,$(2)) $$($(1)_INC) -MMD -MP -c -o $$@ $$<
$(BUILD)/test/$(1): $(BUILD)/obj/test/fuzz/$(1).o $(if $(FUZZ),,$(BUILD)/obj/test/fuzz/replay.o) $$($(1)_OBJS) $$(a_$(2))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@) $(CC) $$(ALLLDFLAGS) $(if $(FUZZ),-fsanitize=fuzzer) -o $$@ $$(filter %.o,$$^) $$(a_$(2)) $$(sys_$(2)) $$($(1)_LIBS) -lm
test-programs: $(BUILD)/test/$(1)
endef
fuzz_vdl_OBJS := $(vdl_front_OBJS)
fuzz_vdl_INC := $(vdl_front_INC)
fuzz_vdl_LIBS := $(cmd_vdl_LIBS)
$(BUILD)/obj/test/fuzz/replay.o: test/fuzz/replay.c | $(libvom_stamp)
	@mkdir -p $(@D)
	$(call say,CC,$@) $(CC) $(ALLCFLAGS) $(WARN) $(call inc_of,libvom) -MMD -MP -c -o $@ $<
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rules,$(f),$(or $($(f)_LAYER),libvom))))

# ---- footprint --------------------------------------------------------------

# Small programs of test/size, at -Os. What calls malloc must not link where a
# program is to do without. $(1) = host or arm, $(2) = compiler, $(3) = flags,
# $(4) = flags for linking, $(5) = the crypto libraries.
ARM_CC ?= arm-none-eabi-gcc
SIZEFLAGS := $(STD) -Os -fno-asynchronous-unwind-tables \
	-DV23_CONFIG_FILE='"mcu.h"' -Itest/size
NO_MALLOC := $(foreach f,malloc calloc realloc free,-Wl,--wrap=$(f) -Wl,--wrap=_$(f)_r)
size_gen_c := $(BUILD)/gen/size/example.org/size/size.vdl.c
SIZE_VOM := encode decode both
SIZE_VERIFY := verify_p256 verify_p256_sha256 verify_ed25519
# Include path of a source: what its own library sees.
size_inc = $(call inc_of,$(or $(filter $(LIBS),$(firstword $(subst /, ,$(1)))),libsecurity)) -I$(BUILD)/gen/size
define size_rules
size_$(1)_libvom := $$(patsubst %.c,$(BUILD)/size/$(1)/%.o,$(libvom_SRCS) $(libvom_BOOT) $(libvom_STD)) \
	$$(libvom_GEN_C:$(BUILD)/gen/%.c=$(BUILD)/size/$(1)/gen/%.o)
size_$(1)_libsecurity := $$(patsubst %.c,$(BUILD)/size/$(1)/%.o,$(libsecurity_BARE) $(libsecurity_mbedtls_SRCS) $(libsecurity_sodium_SRCS)) \
	$$(libsecurity_GEN_C:$(BUILD)/gen/%.c=$(BUILD)/size/$(1)/gen/%.o)
size_$(1)_prog := $$(patsubst %.c,$(BUILD)/size/$(1)/%.o,$$(wildcard test/size/*.c)) \
	$(BUILD)/size/$(1)/gen/size/example.org/size/size.vdl.o
$$(size_$(1)_libvom) $$(size_$(1)_libsecurity) $$(size_$(1)_prog): | $(libvom_stamp) $(libsecurity_stamp) $(size_vdl_stamp) $(BUILD)/size/crypto
$(BUILD)/size/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@) $(2) $(SIZEFLAGS) $(3) $(WARN) $$(call size_inc,$$<) -MMD -MP -c -o $$@ $$<
$(BUILD)/size/$(1)/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@) $(2) $(SIZEFLAGS) $(3) $(GENWARN) $$(call size_inc,$$*) -MMD -MP -c -o $$@ $$<
$(BUILD)/size/$(1)/libvom.a: $$(size_$(1)_libvom)
$(BUILD)/size/$(1)/libsecurity.a: $$(size_$(1)_libsecurity)
$(BUILD)/size/$(1)/%.a:
	$$(call say,AR,$$@) rm -f $$@ && $(AR) rcsD $$@ $$^
$(SIZE_VOM:%=$(BUILD)/size/$(1)/%.elf): $(BUILD)/size/$(1)/gen/size/example.org/size/size.vdl.o
$(SIZE_VERIFY:%=$(BUILD)/size/$(1)/%.elf): $(BUILD)/size/$(1)/test/size/verify.o \
	$(BUILD)/size/$(1)/test/size/verify_data.o $(BUILD)/size/$(1)/libsecurity.a $(filter %.ld,$(5))
$(BUILD)/size/$(1)/%.elf: $(BUILD)/size/$(1)/test/size/%.o $(BUILD)/size/$(1)/test/size/board_$(1).o $(BUILD)/size/$(1)/libvom.a
	$$(call say,LD,$$@) $(2) $(SIZEFLAGS) $(3) $(4) -Wl,--gc-sections -Wl,-Map=$$@.map \
	  $$(if $$(filter both,$$*),,$$(NO_MALLOC)) -o $$@ $$(filter %.o,$$^) \
	  $$(filter %/libsecurity.a,$$^) $$(filter %/libvom.a,$$^) $$(if $$(filter verify%,$$*),$(5)) -lm
size-$(1): $(foreach p,$(SIZE_VOM) $(SIZE_VERIFY),$(BUILD)/size/$(1)/$(p).elf)
endef
$(eval $(call extra_vdl,size,test/size/vdl,example.org/size,,vdl))
# Binding functions when they are first called would take from the stack.
$(eval $(call size_rules,host,$(CC),,-Wl$(comma)-z$(comma)now,-lmbedcrypto -lsodium))
$(eval $(call size_rules,arm,$(ARM_CC),-mcpu=cortex-m4 -mthumb -isystem $(BUILD)/size/crypto,--specs=nano.specs --specs=nosys.specs -nostartfiles -Wl$(comma)--entry=board_start,$(BUILD)/size/arm/crypto.ld))
# For the bare ARM the crypto libraries are their headers, which suit any
# machine, and addresses that lead nowhere: they are not what is measured.
header_dir = $(patsubst %/$(1),%,$(firstword $(filter %/$(1),$(shell echo '$(hash)include <$(1)>' | $(CC) -M -xc - 2>/dev/null))))
$(BUILD)/size/crypto:
	@mkdir -p $@
	$(Q)ln -sf $(foreach h,mbedtls psa,$(call header_dir,mbedtls/version.h)/$(h)) $(foreach h,sodium sodium.h,$(call header_dir,sodium.h)/$(h)) $@
$(BUILD)/size/arm/crypto.ld: $(BUILD)/size/arm/libsecurity.a
	$(Q)$(ARM_CC:%gcc=%nm) -u $< | awk '$$2 ~ /^(mbedtls|crypto|sodium|randombytes)_/ { print $$2 " = 0x1000;" }' | sort -u >$@

# Every target on its stored inputs.
fuzz: $(FUZZERS:%=$(BUILD)/test/%)
	$(Q)for f in $(FUZZERS); do \
	  $(EXEC) $(BUILD)/test/$$f $(if $(FUZZ),-runs=0) test/fuzz/corpus/$${f#fuzz_}/* || exit 1; \
	done

# Clients and servers over a bad network in virtual time; see -help.
SEEDS ?= 1000
SEED  ?= 1
sim: $(BUILD)/test/sim
	$(Q)$(EXEC) $(BUILD)/test/sim -seed=$(SEED) -seeds=$(SEEDS)

VECTORS ?= test/vectors
# Recorded runs of programs need them, and a machine that starts them. A minute
# of them waits for time-outs; CLI_APART=1 leaves that out.
vectors: $(BUILD)/test/runner $(if $(EXEC),,all $(BUILD)/test/cli $(BUILD)/test/testd)
	$(Q)$(EXEC) $(BUILD)/test/runner $(if $(EXEC),,-bin $(BUILD)/bin) \
	  -companions test/vectors $(VECTORS)

unit: $(UNIT)
	$(Q)EXEC='$(EXEC)' sh test/run-units.sh $(sort $(UNIT))

check: all test-programs size-host
	$(Q)BUILD=$(BUILD) CRYPTO=$(CRYPTO) CC="$(CC)" SANFLAGS="$(SANFLAGS)" VECTORS="$(VECTORS)" sh test/check.sh $(sort $(UNIT))

layers: $(LIBS:%=$(BUILD)/lib/%.a)
	$(Q)BUILD=$(BUILD) sh test/layers.sh
symbols: $(LIBS:%=$(BUILD)/lib/%.a)
	$(Q)BUILD=$(BUILD) sh test/symbols.sh

# What runs under emulation: the cores' unit tests and the vectors.
cross-programs: $(UNIT) $(BUILD)/test/runner

headers-cxx: all
	$(Q)BUILD=$(BUILD) sh test/headers-cxx.sh

demo: all
	$(Q)BUILD=$(BUILD) sh test/demo.sh

# The JavaScript client, the demonstration of wsprd and the page of debug browse
# in a browser; pictures of them in build/web.
web: all
	$(Q)sh test/web/js.sh
	$(Q)BUILD=$(BUILD) sh test/web/browse.sh
	$(Q)BUILD=$(BUILD) sh test/web/wspr.sh

bench: all test-programs
	$(Q)BUILD=$(BUILD) CRYPTO=$(CRYPTO) sh test/bench.sh
bench-vom: $(BUILD)/test/vombench
	$(Q)$(EXEC) $(BUILD)/test/vombench
bench-security: $(BUILD)/test/secbench
	$(Q)$(EXEC) $(BUILD)/test/secbench
bench-naming: all test-programs
	$(Q)BUILD=$(BUILD) sh test/bench.sh naming
bench-table: $(BUILD)/test/tablebench
	$(Q)$(EXEC) $(BUILD)/test/tablebench

# The compiler and its C library are packages of their own.
HAVE_ARM := $(if $(filter size,$(MAKECMDGOALS)),$(shell echo '$(hash)include <string.h>' | \
	$(ARM_CC) --specs=nano.specs -E -xc - >/dev/null 2>&1 && echo 1))
size: $(LIBS:%=$(BUILD)/lib/%.a) size-host $(if $(HAVE_ARM),size-arm)
	$(Q)BUILD=$(BUILD) HAVE_ARM=$(HAVE_ARM) sh test/size.sh

deps:
	$(Q)sh test/deps.sh build
deps-ci:
	$(Q)BUILD=$(BUILD) sh test/deps.sh ci

install: all
	$(Q)BUILD=$(BUILD) PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" CRYPTO="$(CRYPTO)" sh test/install.sh
clean:
	rm -rf $(BUILD)
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

help:
	@echo 'all check demo deps deps-ci unit vectors sim fuzz layers symbols headers-cxx'
	@echo 'web bench bench-vom bench-security bench-naming bench-table size install clean format'
	@echo 'Variables: BUILD CC AR HOSTCC CROSS_COMPILE CFLAGS OPT SAN CRYPTO PREFIX DESTDIR V=1'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
