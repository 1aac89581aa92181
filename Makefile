# Everything runs from .venv; `make help` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test lint types bench docs lock tour clean
.DEFAULT_GOAL := help

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## the virtual environment with everything in it, and .venv/bin/towpath

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || \
	  { echo "Towpath needs Python 3.11 to 3.14; set PYTHON=/path/to/python3.x"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## the playground on loopback: a pull request on the left, Slack on the right
	$(BIN)/towpath demo

tour: setup  ## play every chapter against the playground, with real Terraform
	$(BIN)/towpath tour

# Stories wait up to a minute for what people must see. Where a busy machine let that run out, a story is played once
# more; whatever else fails has failed.
AGAIN := --reruns 1 --only-rerun "within [0-9]+ s" --only-rerun "Timeout"

test: setup lint types  ## format, lint, types, contracts of import, and every test whose tools are there
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 3 --dist worksteal $(AGAIN)

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

bench: setup  ## ratios to bare Terraform, measured in one run
	$(BIN)/python -m tests.bench

docs: setup  ## regenerate docs/commands.md and docs/settings.md
	$(BIN)/python -m bot docs

lock: setup  ## resolve pyproject.toml anew into requirements.lock (with hashes, without addresses)
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --group dev --upgrade pyproject.toml -o requirements.lock

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
