# BenchHost: every command a person or CI needs. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z][a-zA-Z_-]*:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "BenchHost needs Python 3.11 or later as $(PYTHON); name another one with make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) has no venv module; on Debian install it with: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked packages into $(VENV) (once; about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: setup
setup: $(READY) ## install the locked packages into .venv

.PHONY: controlplane
controlplane: $(READY) ## make sure that a Kubernetes control plane is there (builds one when it must)
	@$(BIN)/benchhost dev build

.PHONY: demo
demo: $(READY) ## show the main job: a host from kubectl apply, an mlos_bench experiment, and nothing left behind
	@$(BIN)/python examples/demo/demo.py

.PHONY: test
test: $(READY) controlplane ## run every check and every test
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -n 3 --dist loadfile $(ARGS)

.PHONY: lint
lint: $(READY) ## formatting, lint, types, layers, generated files
	@$(BIN)/ruff format --check --quiet operator tests benchmarks examples docs
	@$(BIN)/ruff check --quiet operator tests benchmarks examples docs
	@$(BIN)/mypy
	@PYTHONPATH=operator $(BIN)/lint-imports --no-logo
	@$(BIN)/benchhost crd | diff -u crds/benchhosts.benchhost.dev.yaml - || \
	  { echo "crds/ is not current; run: make generate"; exit 1; }

.PHONY: format
format: $(READY) ## format the code
	@$(BIN)/ruff format --quiet operator tests benchmarks examples docs
	@$(BIN)/ruff check --fix --quiet operator tests benchmarks examples docs

.PHONY: generate
generate: $(READY) ## write the generated files: crds/
	@$(BIN)/benchhost crd > crds/benchhosts.benchhost.dev.yaml

.PHONY: bench
bench: $(READY) controlplane ## measure; prints a table and writes build/bench.json
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: picture
picture: $(READY) controlplane ## run the demo and draw docs/demo.svg from what it shows
	@$(BIN)/python docs/picture.py

.PHONY: lock
lock: $(READY) ## choose the newest versions and lock them with hashes
	@command -v uv >/dev/null || { echo "make lock needs uv; install it with: pip install uv"; exit 1; }
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --extra dev pyproject.toml -o requirements/dev.txt

.PHONY: clean
clean: ## remove what the commands above made in this folder
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
