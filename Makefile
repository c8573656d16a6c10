# One Makefile for the whole tree; it calls itself only where a set-up must come before a build.
#
#   make                 the programs, optimised and hardened      $(B)/release/{fcgi-scep,fcgi-admin,scepctl}
#   make test            set-up, then every test; the last line is "N passed, N failed"
#   make check-unit      the unit tests alone, under ASan and UBSan
#   make test-build      the programs with SCEP_TEST_BUILD (a clock that moves, faults)   $(B)/test/
#   make run, lint, format, clang, bench, fuzz, docs, install, clean
#
# A new .c file is found by itself: in shared/*/ it goes into the library, in a program's rooms into that program,
# tests/unit/test_*.c, tests/fuzz/fuzz_*.c, tests/bench/*.c and tests/e2e/*.c become a program each.

B = build
PREFIX = /usr/local
DESTDIR =
CC = gcc
CLANG = clang
CLANG_FORMAT = clang-format
FUZZ_SECONDS = 60
JOBS = $(shell nproc)

VERSION := $(shell cat VERSION)

all: release-build
.PHONY: all test check-unit clang lint format bench fuzz docs vectors install clean run setup FORCE
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- sources ----------------------------------------------------------------------------------------------------------------

admin_rooms := access manage api dialect background

src_lib := $(sort $(wildcard shared/*/*.c))
src_fcgi-scep := $(sort $(wildcard fcgi-scep/*.c))
src_fcgi-admin := $(sort $(wildcard fcgi-admin/*.c $(admin_rooms:%=fcgi-admin/%/*.c)))
src_scepctl := $(sort $(wildcard fcgi-admin/cli/*.c fcgi-admin/manage/*.c))
src_rooms := $(sort $(src_fcgi-scep) $(src_fcgi-admin) $(src_scepctl))
src_mains := $(shell grep -ls '^main\b' $(src_rooms) /dev/null)

# A program is built as soon as one of its files has a main().
programs := $(foreach p,fcgi-scep fcgi-admin scepctl,$(if $(filter $(src_$p),$(src_mains)),$p))

src_unit := $(sort $(wildcard tests/unit/test_*.c))
src_unit_support := $(filter-out $(src_unit),$(sort $(wildcard tests/unit/*.c)))
src_fuzz := $(sort $(wildcard tests/fuzz/fuzz_*.c))
src_bench := $(sort $(wildcard tests/bench/*.c))
src_bench_support := $(sort $(wildcard tests/bench/lib/*.c))
src_e2e := $(sort $(wildcard tests/e2e/*.c))
src_support := $(sort $(wildcard tests/support/*.c))
src_tests := $(src_unit) $(src_unit_support) $(src_fuzz) $(src_bench) $(src_bench_support) $(src_e2e) $(src_support)
src_all := $(src_lib) $(src_rooms) $(src_tests)
headers := $(wildcard shared/*/*.h fcgi-scep/*.h fcgi-admin/*.h fcgi-admin/*/*.h tests/*/*.h tests/bench/lib/*.h)

# ---- flags ------------------------------------------------------------------------------------------------------------------

warnings = -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
cppflags = -D_GNU_SOURCE -DSCEP_VERSION='"$(VERSION)"' -Ishared -I.
libs = -Wl,--as-needed -lfcgi -lhiredis -lsqlite3 -ljansson -lcurl -lssl -lcrypto -lm

cc_release = $(CC)
cflags_release = -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
ldflags_release = -pie -Wl,-z,relro,-z,now

cc_test = $(CC)
cflags_test = -O2 -g -DSCEP_TEST_BUILD

cc_asan = $(CC)
cflags_asan = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DSCEP_TEST_BUILD
ldflags_asan = -fsanitize=address,undefined

cc_clang = $(CLANG)
cflags_clang = -O2

cc_fuzz = $(CLANG)
cflags_fuzz = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DSCEP_TEST_BUILD
ldflags_fuzz = -fsanitize=fuzzer,address,undefined

variants = release test asan clang fuzz

# ---- the schema, as C -------------------------------------------------------------------------------------------------------

schema_sql := $(sort $(wildcard schema/*.sql))

$(B)/gen/schema.c: schema/embed.sh $(schema_sql)
	@mkdir -p $(@D)
	sh schema/embed.sh $(schema_sql) >$@.part && mv $@.part $@

# ---- rules of one variant ---------------------------------------------------------------------------------------------------

# $(call objects,VARIANT,SOURCES)
objects = $(patsubst %.c,$(B)/$1/obj/%.o,$2)

define link
@mkdir -p $(@D)
$(cc_$1) $(cflags_$1) -o $@ $(filter %.o %.a,$^) $(ldflags_$1) $2 $(libs)
endef

# $(call one_file_program,VARIANT,DIRECTORY,SOURCES,MORE OBJECTS,MORE LIBRARIES): each source is a program in VARIANT/DIRECTORY
define one_file_program
$(foreach s,$3,$(eval $(B)/$1/$2/$(basename $(notdir $s)): $(call objects,$1,$s) $4 $(B)/$1/librooms.a $(B)/$1/libscep.a ; $$(call link,$1,$5)))
endef

# An archive is made anew, and by appending: files of one name in two rooms are two members.
define variant
$(B)/$1/obj/%.o: %.c VERSION Makefile
	@mkdir -p $$(@D)
	$$(cc_$1) -std=c11 $$(cppflags) $$(warnings) $$(cflags_$1) -MMD -MP -c -o $$@ $$<

$(B)/$1/obj/gen/schema.o: $(B)/gen/schema.c VERSION Makefile
	@mkdir -p $$(@D)
	$$(cc_$1) -std=c11 $$(cppflags) $$(warnings) $$(cflags_$1) -MMD -MP -c -o $$@ $$<

$(B)/$1/libscep.a: $(call objects,$1,$(src_lib)) $(B)/$1/obj/gen/schema.o
	@rm -f $$@
	ar qcs $$@ $$(filter %.o,$$^)

$(B)/$1/librooms.a: $(call objects,$1,$(filter-out $(src_mains),$(src_rooms)))
	@mkdir -p $$(@D); rm -f $$@
	ar qcs $$@ $$(filter %.o,$$^)

$(foreach p,$(programs),$(eval $(B)/$1/$p: $(call objects,$1,$(src_$p)) $(B)/$1/libscep.a ; $$(call link,$1)))

.PHONY: $1-build
$1-build: $(programs:%=$(B)/$1/%)
endef

$(foreach v,$(variants),$(eval $(call variant,$v)))

$(foreach v,test asan,$(call one_file_program,$v,unit,$(src_unit),$(call objects,$v,$(src_unit_support) $(src_support) $(src_bench_support)),-lcmocka))
$(foreach v,release test,$(call one_file_program,$v,bench,$(src_bench),$(call objects,$v,$(src_bench_support)),))
$(foreach v,test asan,$(call one_file_program,$v,e2e,$(src_e2e),$(call objects,$v,$(src_support) $(src_bench_support)),-lcmocka))
$(call one_file_program,fuzz,fuzz,$(src_fuzz),,)

unit_programs = $(patsubst tests/unit/%.c,$(B)/asan/unit/%,$(src_unit))
bench_programs = $(patsubst tests/bench/%.c,$(B)/release/bench/%,$(src_bench))
e2e_programs = $(patsubst tests/e2e/%.c,$(B)/test/e2e/%,$(src_e2e))
fuzz_programs = $(patsubst tests/fuzz/%.c,$(B)/fuzz/fuzz/%,$(src_fuzz))

test-build: $(e2e_programs) $(patsubst tests/bench/%.c,$(B)/test/bench/%,$(src_bench))

# ---- tests ------------------------------------------------------------------------------------------------------------------

setup:
	./setup.sh

# It installs what the tests need, builds, and runs them.
test:
	@B='$(B)' FUZZ_SECONDS='$(FUZZ_SECONDS)' tests/run-all

run:
	B='$(B)' ./run.sh

check-unit: $(unit_programs)
	@tests/run-unit $(JOBS) $(unit_programs)

# clang only has to agree that every file is clean; tests use what only the test build has.
clang: $(call objects,clang,$(src_all)) $(B)/clang/obj/gen/schema.o
$(call objects,clang,$(src_tests)): cflags_clang += -DSCEP_TEST_BUILD

# schema.c is generated; without git the files that the wildcards find are all there is.
lint:
	tests/lint-includes --self-test
	tests/lint-includes
	$(CLANG_FORMAT) --dry-run -Werror $(src_all) $(headers)
	@if command -v cppcheck >/dev/null; then \
		echo cppcheck; \
		cppcheck --quiet --enable=warning,portability,performance --inline-suppr --error-exitcode=1 -j $(JOBS) \
			--library=tests/cppcheck.cfg --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --std=c11 -D_GNU_SOURCE -DSCEP_TEST_BUILD \
			-DSCEP_VERSION='"$(VERSION)"' -Ishared -I. $(src_lib) $(src_rooms); \
	else echo "cppcheck is not installed: skipped"; fi

format:
	$(CLANG_FORMAT) -i $(src_all) $(headers)

bench: all $(bench_programs)
	B='$(B)' tests/bench/run

# New inputs go to a scratch corpus under $(B); what is kept for good is copied into tests/fuzz/corpus by hand.
fuzz: $(fuzz_programs:%=%.fuzzed)
$(B)/fuzz/fuzz/%.fuzzed: $(B)/fuzz/fuzz/% FORCE
	@mkdir -p $(B)/fuzz/corpus/$*
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix=$(B)/fuzz/$*- $(B)/fuzz/corpus/$* tests/fuzz/corpus/$(patsubst fuzz_%,%,$*)

# docs/settings.md comes from the programs' own table; tests/e2e/documents.sh sees that it is fresh.
docs: $(B)/release/scepctl
	scripts/settings-page $(B)/release/scepctl >docs/settings.md.part && mv docs/settings.md.part docs/settings.md

# Vectors that are made by hand (tests/vectors/README.md) and, of every vector, the seeds of the fuzz targets: made again, they are
# the same octets, which tests/unit/test_vectors.c sees to.
vectors: $(B)/test/e2e/habit
	$< vectors
	cp tests/vectors/*-pkcsreq.der tests/fuzz/corpus/message/

# ---- install ----------------------------------------------------------------------------------------------------------------

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/doc/fcgi-scep
	$(foreach p,$(filter fcgi-%,$(programs)),install -m 755 $(B)/release/$p $(DESTDIR)$(PREFIX)/sbin/$p && ) true
	$(foreach p,$(filter-out fcgi-%,$(programs)),install -m 755 $(B)/release/$p $(DESTDIR)$(PREFIX)/bin/$p && ) true
	install -d $(DESTDIR)$(PREFIX)/share/fcgi-scep
	cp -R nginx $(DESTDIR)$(PREFIX)/share/fcgi-scep/
	install -m 644 systemd/settings.env $(DESTDIR)$(PREFIX)/share/fcgi-scep/
	for f in $(wildcard README.md CHANGELOG.md SECURITY.md docs/*.md docs/clients); do \
		cp -R $$f $(DESTDIR)$(PREFIX)/share/doc/fcgi-scep/ || exit 1; \
	done
	chmod -R a+rX $(DESTDIR)$(PREFIX)/share/fcgi-scep $(DESTDIR)$(PREFIX)/share/doc/fcgi-scep
	set -e; for u in $(wildcard systemd/*.service systemd/*.socket systemd/*.target); do \
		install -d $(DESTDIR)$(PREFIX)/lib/systemd/system; \
		sed 's,@PREFIX@,$(PREFIX),g' $$u >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${u##*/}; \
		chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/$${u##*/}; \
	done
	install -d $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	install -m 644 systemd/fcgi-scep.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/fcgi-scep.conf
	install -m 644 systemd/fcgi-scep.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/fcgi-scep.conf
	set -e; for m in $(wildcard docs/man/*.1 docs/man/*.5 docs/man/*.8); do \
		d=$(DESTDIR)$(PREFIX)/share/man/man$${m##*.}; \
		install -d $$d; install -m 644 $$m $$d/; \
	done

clean:
	rm -rf $(B)/release $(B)/test $(B)/asan $(B)/clang $(B)/fuzz $(B)/gen

-include $(foreach v,$(variants),$(patsubst %.o,%.d,$(call objects,$v,$(src_all))))
