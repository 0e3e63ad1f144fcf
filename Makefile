# huilu: everything starts here. `make` alone prints this help.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

GO ?= go
WEB := $(shell find web/src web/public web/index.html web/package.json web/package-lock.json web/vite.config.ts web/tsconfig.json -type f 2>/dev/null)

.PHONY: help setup setup-test build run demo test test-go test-web test-browser test-long bench fmt clean

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## install what running needs (Debian packages, as root or with sudo)
	@scripts/setup run

setup-test: ## install what testing needs as well
	@scripts/setup test

build: setup web/dist/index.html ## bin/huilu with the pages inside
	@mkdir -p bin
	$(GO) build -trimpath -ldflags "-s -w" -o bin/huilu ./cmd/huilu

web/dist/index.html: $(WEB)
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

run: build ## start on http://127.0.0.1:8080 with ./data
	@exec bin/huilu serve

demo: build ## the main job, whole, on a fresh server in a temporary folder
	@exec bin/huilu demo

test: setup-test build test-go test-web test-browser ## every test

test-go: web/dist/index.html ## Go: domain, stores on both databases, API by the official SDK, media, faults
	@scripts/test-go

test-web: web/dist/index.html ## the pages' own logic
	cd web && npm run --silent test

test-browser: build ## two browsers meet, record and watch; screenshots land in docs/screenshots
	@scripts/test-browser

bench: setup build ## benchmarks against their baselines; writes bench/results.json
	$(GO) run ./bench

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built
	rm -rf bin web/dist/assets web/dist/index.html
