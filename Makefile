# Everything runs from .venv, and each target installs what it needs first; `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Stamps of what .venv holds. The demo's packages are a part of the development tools', in the same versions, and nothing
# is uninstalled: either can be added to the other.
UV := $(VENV)/.uv
DEMO := $(VENV)/.demo
DEV := $(VENV)/.dev

# --build-constraints: what builds a package from source comes from the lock as well, with its hashes.
INSTALL := $(BIN)/uv pip install --python $(BIN)/python --no-deps --build-constraints requirements-dev.lock
# For all but GitHub's models: 3,400 modules, of which the bot imports four. Only a cache: a file that can't be compiled stops
# nothing.
BYTECODE := $(BIN)/python -m compileall -qq -j 0 -x /githubkit_schemas/ $(VENV)/lib bot commands migrations
COMPILE_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --custom-compile-command "make lock"

.PHONY: help setup setup-dev demo tour check test lint types contracts unit bench docs lock upgrade clean
.DEFAULT_GOAL := help

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEMO)  ## install Towpath and its demo into .venv, from requirements.lock

setup-dev: $(DEV)  ## install the development tools too, from requirements-dev.lock

demo: $(DEMO)  ## the playground on loopback: a pull request on the left, Slack on the right
	$(BIN)/towpath demo

tour: $(DEMO)  ## play every chapter against the playground, with real Terraform
	$(BIN)/towpath tour

check: lint types contracts unit  ## format, lint, types, import contracts and unit tests; under two minutes

# A story waits up to a minute for each thing that people must see, and a test of threads for an event. On a busy machine
# that can run out; such a test is run once more. Any other failure is final.
AGAIN := --reruns 1 --only-rerun "within [0-9]+ s" --only-rerun "Timeout" --only-rerun "timeout="

test: lint types contracts  ## the same, and every other test whose tools are installed
	$(BIN)/python -m pytest -n 3 --dist worksteal $(AGAIN)

lint: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEV)
	$(BIN)/mypy

contracts: $(DEV)
	$(BIN)/lint-imports

unit: $(DEV)
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal tests/unit

bench: $(DEV)  ## performance, as a ratio to bare Terraform measured in the same run
	$(BIN)/python -m tests.bench

docs: $(DEV)  ## regenerate docs/commands.md and docs/settings.md
	$(BIN)/python -m bot docs

lock: $(UV)  ## update the lock files after a change to pyproject.toml; keeps every version that still fits
	$(COMPILE_LOCK) $(UPGRADE) --extra demo --group dev pyproject.toml -o requirements-dev.lock
	$(COMPILE_LOCK) --extra demo --constraints requirements-dev.lock pyproject.toml -o requirements.lock
	echo uv | $(COMPILE_LOCK) --constraints requirements-dev.lock - -o requirements-uv.lock

upgrade: UPGRADE := --upgrade
upgrade: lock  ## update the lock files to the newest versions that pyproject.toml allows

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(UV): requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || \
	  { echo "Towpath needs Python 3.11 to 3.14; set PYTHON=/path/to/python3.x"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r requirements-uv.lock
	@touch $@

$(DEMO): requirements.lock pyproject.toml $(UV)
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --editable .
	$(BYTECODE) || true
	@touch $@

$(DEV): requirements-dev.lock pyproject.toml $(UV)
	$(INSTALL) --require-hashes -r requirements-dev.lock
	$(INSTALL) --editable .
	$(BYTECODE) || true
	@touch $@ $(DEMO)
