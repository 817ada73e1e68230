# Shortcuts for commands that are as easily typed by hand. .ci/run is what continuous integration runs.
.POSIX:

FUZZTIME = 5s
OLD = HEAD
NEW =

help: ## print this list (the default)
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-7s %s\n", $$1, $$2 }' Makefile

build: ## compile every package
	go build ./...

test: ## run every test
	go test ./...

race: ## run every test under the race detector (wants a C compiler)
	go test -race ./...

lint: ## run the linters of .golangci.yml
	.ci/lint

fmt: ## format every file
	go tool -modfile=tools/go.mod golangci-lint fmt ./...

fuzz: ## run every fuzz target for FUZZTIME (make fuzz FUZZTIME=1m)
	FUZZTIME=$(FUZZTIME) .ci/fuzz

cross: ## build and vet for every supported system
	.ci/cross

bench: ## compare the micro-benchmarks of two commits (make bench OLD=v1.0.0 NEW=HEAD; no NEW: as it is now)
	.ci/bench "$(OLD)" "$(NEW)"

cover: ## measure test coverage, function by function
	go test -coverprofile=cover.out ./...
	go tool cover -func=cover.out

ci: ## all of the above that can fail, as continuous integration runs it
	.ci/run

clean: ## remove what the targets above left behind
	rm -f cover.out *.test *.prof

.PHONY: help build test race lint fmt fuzz cross bench cover ci clean
