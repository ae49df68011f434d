# One command per thing that people and CI do here. `make help` lists them.

SWIFT ?= swift
# Extra flags of the debug build and the tests. CI passes $(CHECKED), so that warnings and undeclared imports are errors.
BUILD_FLAGS ?=
CHECKED := -Xswiftc -warnings-as-errors --explicit-target-dependency-import-check error
PREFIX ?= /usr/local

# The programs carry the Swift runtime on Linux: they start faster and run where no toolchain is installed.
ifeq ($(shell uname -s),Linux)
RELEASE_FLAGS := -c release --static-swift-stdlib
else
RELEASE_FLAGS := -c release
endif
TOOLS := nats-pub nats-sub nats-req nats-rply nats-bench nats-top
PROGRAMS := nats-server $(TOOLS)

.DEFAULT_GOAL := build
.PHONY: help build release demo build-dependencies test test-dependencies test-long test-address test-thread test-repeat test-fuzz packaging examples docs \
	simulate bench drill format lint linkage samples tools install man clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: build-dependencies  ## Debug build with everything the tests need
	$(SWIFT) build --build-tests $(BUILD_FLAGS)

release: build-dependencies  ## Optimised build of the programs and libraries, in .build/release
	$(SWIFT) build $(RELEASE_FLAGS) $$(SWIFT="$(SWIFT)" Scripts/release-flags)
	for tool in $(TOOLS); do $(SWIFT) build $(RELEASE_FLAGS) $$(SWIFT="$(SWIFT)" Scripts/release-flags --tool) --product $$tool || exit 1; done

demo: build-dependencies  ## Build release, stream a real file through server and tools, compare, measure
	Scripts/demo

build-dependencies:  ## Install the system's libraries that a build needs, where they are missing
	Scripts/install-build-dependencies

test-dependencies:  ## Fetch what the tests compare with (official server, Python and C clients)
	Scripts/install-test-dependencies

# One target after the other, eight tests at a time: all their servers and programs at once are too much for two cores.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 8
TEST_TARGETS := $(notdir $(wildcard Tests/*Tests))

test: build-dependencies test-dependencies  ## All tests but the long ones
	$(SWIFT) build --build-tests $(BUILD_FLAGS)
	SWIFT="$(SWIFT)" Scripts/run-tests $(TEST_TARGETS)

test-long: test-address test-thread test-repeat test-fuzz packaging examples docs  ## Sanitizers, repetition, fuzzing, packaging, examples, docs

test-address: build-dependencies test-dependencies  ## All tests under the address and leak sanitizers
	LSAN_OPTIONS=suppressions=$(CURDIR)/Scripts/leak-suppressions:print_suppressions=0 \
	$(SWIFT) test --disable-xctest --no-parallel --sanitize=address --scratch-path .build/address

test-thread: build-dependencies test-dependencies  ## All tests under the thread sanitizer
	TSAN_OPTIONS=suppressions=$(CURDIR)/Scripts/thread-suppressions \
	$(SWIFT) test --disable-xctest --no-parallel --sanitize=thread --scratch-path .build/thread

test-repeat: build-dependencies test-dependencies  ## The concurrent suites 50 times (REPEAT=n for another number)
	BUILD_FLAGS="$(BUILD_FLAGS)" Scripts/test-repeat

test-fuzz: build-dependencies test-dependencies  ## Long fuzzing and long property tests (NATS_FUZZ_SECONDS=600)
	$(SWIFT) build --build-tests $(BUILD_FLAGS)
	NATS_LONG_TESTS=1 NATS_FUZZ_SECONDS=$${NATS_FUZZ_SECONDS:-600} SWIFT="$(SWIFT)" Scripts/run-tests $(TEST_TARGETS)

packaging: build  ## The server as process 1, with logrotate and as a systemd unit (needs root and both); a package outside
	Scripts/check-packaging
	Scripts/check-outside

examples: build  ## Build, test and run the examples
	Scripts/check-examples

docs: build-dependencies  ## DocC pages of the libraries, warnings are errors
	Scripts/build-docs

simulate: build  ## What clusters of 3 to 100 servers cost, by simulation
	NATS_LONG_TESTS=1 $(SWIFT) test --skip-build --disable-xctest --filter 'ClusterScaleTests/growth'

bench: build-dependencies  ## Benchmarks against the official server and other clients
	Benchmarks/run

# OPTIONS are those of the program: make drill OPTIONS='--seconds 20 --json'.
drill: build-dependencies test-dependencies  ## A rolling upgrade under load, from the official server to ours and back
	for product in nats-server nats-drill; do $(SWIFT) build $(RELEASE_FLAGS) $$(SWIFT="$(SWIFT)" Scripts/release-flags) --product $$product || exit 1; done
	"$$($(SWIFT) build -c release --show-bin-path)/nats-drill" $(OPTIONS)

format:  ## Rewrite the sources in the project's format
	git ls-files -z --cached --others --exclude-standard -- '*.swift' | xargs -0 $(SWIFT) format format --in-place --parallel

lint:  ## Format, forbidden words, import rules, links, README sample
	Scripts/lint

linkage:  ## Check that nothing links full Foundation (after a debug build)
	Scripts/check-linkage

samples:  ## Run the README samples (after a debug build)
	Scripts/check-samples

tools:  ## Check scripts, man pages and completions (after a debug build)
	Scripts/check-tools

install: release  ## Install programs, man pages and completions below $(PREFIX)
	Scripts/install-programs .build/release "$(DESTDIR)$(PREFIX)" $(PROGRAMS)

man: build  ## Write the man pages anew from what the tools say of themselves
	Scripts/make-man-pages

clean:  ## Remove all build products
	$(SWIFT) package clean
	rm -rf .build/address .build/thread .build/examples .build/docs
