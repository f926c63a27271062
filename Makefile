# The commands of the README. Everything below build/ may be thrown away.

help:
	@echo "make demo     a log whose past changes, in a minute"
	@echo "make test     everything that must hold: checks, builds, tests, sanitizers, a short fuzzing"
	@echo "make node     the addon of the npm package sluice-db (node/)"
	@echo "make test-applications  published Scuttlebutt applications on those packages, beside FlumeDB"
	@echo "make bench    speeds, as ratios to other systems measured in the same run"
	@echo "make bench-node  the same from JavaScript"
	@echo "make fuzz     fuzzing for longer: FUZZ_SECONDS=600 for each target"
	@echo "make soak     crashes and faults for long: SOAK_MINUTES=30, then a table of what was tried"
	@echo "make format   lets clang-format have its way"
	@echo "make clean    throws build/ away"

demo: build/release/sluice
	@scripts/demo build/release/sluice

build/release/sluice: FORCE
	@scripts/setup build
	@cmake --preset release >/dev/null
	@cmake --build --preset release

test:
	@scripts/setup test
	@scripts/gate

node:
	@scripts/setup node
	@scripts/build-node

# Published Scuttlebutt applications on the Node packages, beside FlumeDB: long, and from npm's registry.
test-applications: node
	@cd node/applications && npm install --ignore-scripts --no-audit --no-fund && npm test && ./run-suites

bench:
	@scripts/setup bench
	@bench/run

bench-node:
	@scripts/setup bench
	@node/bench/run

FUZZ_SECONDS ?= 600
fuzz:
	@scripts/setup test
	@scripts/fuzz $(FUZZ_SECONDS)

SOAK_MINUTES ?= 30
soak:
	@scripts/setup test
	@scripts/soak $(SOAK_MINUTES)

format:
	@scripts/check-format --fix

clean:
	rm -rf build

FORCE:
.PHONY: help demo test node test-applications bench bench-node fuzz soak format clean FORCE
