# The short way round; meson does the work.
#   make            a runnable tree under build/stage
#   make run        a demo site to call
#   make check      every check; the last line counts them
#   make fuzz       the fuzzers, FUZZ_SECONDS each
#   make sanitize   the tests again under the sanitizers
#   make deb        the Debian package, under build/deb
#   make check-deb  installed, called, killed, upgraded and purged in a chroot
#   make check-systemd  keeper and house killed under a systemd of their own
#   make valgrind   unit and sim again, and some stories' rooms, under valgrind
#   make bench-NAME figures
#   make drill-NAME the house while parts of it are killed

BUILD ?= build
STAGE = $(abspath $(BUILD))/stage
FUZZ_SECONDS ?= 600

# Test data by others; a test that does not find it says so and skips.
HF_CORPORA ?= ../shared/corpora
export HF_CORPORA := $(abspath $(HF_CORPORA))
export HF_STAGE := $(STAGE)

all: $(BUILD)/.set-up
	@ninja -C $(BUILD) --quiet
	@meson install -C $(BUILD) --no-rebuild --quiet --only-changed \
	    --destdir $(STAGE)

# meson does not notice a first meson.build of a folder, a new story or a
# package that was missing (tools/install-packages touches its list).
$(BUILD)/.set-up: tools/packages $(shell find src tests -name meson.build -o -name "*.story")
	@tools/install-packages build
	meson setup $(BUILD) --prefix=/ \
	    $(if $(wildcard $(BUILD)/build.ninja),--reconfigure)
	@touch $@

packages:
	tools/install-packages build run test bench

run:
	@tools/install-packages build run
	@$(MAKE) --no-print-directory all
	@tools/run-demo $(STAGE)

check:
	@tools/install-packages build run test
	@$(MAKE) --no-print-directory all
	@tools/check-all $(BUILD)

# One suite, as "make check-unit".
check-%: all
	@tools/check-all $(BUILD) $*

fuzz: all
	@tools/install-packages test
	FUZZ_SECONDS=$(FUZZ_SECONDS) meson test -C $(BUILD) --suite fuzz \
	    --timeout-multiplier 0 --num-processes 1 --verbose

bench-%: all
	@tools/install-packages run test bench
	@bench/$@ $(STAGE)

drill-%: all
	@tools/install-packages run test bench
	@tests/drill/$@ $(STAGE)

# The same tests under the sanitizers, in a tree of their own.  Memory that is
# made at boot is kept to the end on purpose: no leak.
SANITIZED = $(BUILD)-sanitized
sanitize:
	@tools/install-packages build test
	@[ -f $(SANITIZED)/build.ninja ] || CC=clang-14 meson setup $(SANITIZED) \
	    -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C $(SANITIZED) --quiet
	@ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 \
	    tools/check-all $(SANITIZED) unit proc room sim

# Stories of which none is about tenths of a second, which valgrind has not.
VALGRIND_STORIES = agent-calls-agent agent-passes-on another-site \
	answer-when-ready bot-closed bot-garbage bot-refers dtmf-info \
	hold-by-caller media-dies mind-dies rescue-to-a-person \
	sip-dies-setting-up voicemail
valgrind: all
	@tools/install-packages test
	HF_VALGRIND=1 meson test -C $(BUILD) --suite unit --suite sim \
	    --wrapper 'valgrind -q --error-exitcode=99' --num-processes 2 \
	    --timeout-multiplier 20 --logbase valgrind
	@tools/run-valgrind $(STAGE) $(BUILD)/tests/story/story_live \
	    $(VALGRIND_STORIES:%=tests/story/%.story)

deb:
	@tools/make-deb $(BUILD)/deb

# Minutes, and a mirror of Debian the first time: not part of "make check".
check-deb: deb
	@tests/debian/deb_test.py $(BUILD)/deb debian/holdfast.service

# The same house, not installed, under a systemd that is booted for it.
check-systemd: all
	@tools/install-packages deb
	@tests/debian/systemd_test.py $(STAGE) debian/holdfast.service \
	    debian/holdfast.tmpfiles

clean:
	rm -rf $(BUILD) $(SANITIZED)

.PHONY: all packages run check fuzz sanitize valgrind deb \
	check-deb check-systemd clean
