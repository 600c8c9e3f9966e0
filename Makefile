# Everything a person needs, from a machine with only Python 3.11+, git and make.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
MEMBERS := tieline tieline-gateway tieline-quickbooks tieline-sandbox tieline-xero
FOLDERS := core gateway plugins/quickbooks plugins/xero sandbox
PROJECTS := $(FOLDERS:%=%/pyproject.toml)
export UV_SYSTEM_CERTS := 1
PIN := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
LOCK := $(PIN) $(MEMBERS:%=--no-emit-package %) --extra embedded --group dev pyproject.toml $(PROJECTS)
NODE_LOCK := tests/chaos/npm/requirements.lock

.DEFAULT_GOAL := help
.PHONY: help run sandbox test proofs chaos bench check format lock schema clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: .venv/ready ## start Tieline on this machine with a demo practice; ARGS=--once runs the story and stops
	@$(BIN)/tieline up $(ARGS)

sandbox: .venv/ready ## the pretended Xero and QuickBooks Online alone, on port 9100; ARGS="--port 9200" for another
	@$(BIN)/tieline sandbox $(ARGS)

# Compiled code is kept, whatever the environment says: each process would compile all of it anew.
test: .venv/ready ## all tests, with a real PostgreSQL and Redis of their own
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

proofs: .venv/ready ## the figures of docs/reliability.md, and what people do at once, in full: half an hour
	@PROOFS=full $(BIN)/python -m pytest --quiet tests/proofs tests/connections/together $(ARGS)

chaos: .venv/node-ready ## the figures under faults of docs/reliability.md, in full
	@CHAOS=full $(BIN)/python -m pytest --quiet $(or $(filter tests/%,$(ARGS)),tests/chaos) $(filter-out tests/%,$(ARGS))

bench: .venv/ready ## what things cost, measured side by side; ARGS="--sockets 500 --seconds 10" for less of it
	@$(BIN)/python -m benchmarks $(ARGS)

check: .venv/ready ## format, lint, types, imports, lock, schema, docs and house rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@cp requirements.lock .venv/requirements.lock && $(LOCK) -o .venv/requirements.lock && \
		diff -u requirements.lock .venv/requirements.lock && \
		cp $(NODE_LOCK) .venv/node.lock && $(PIN) --group chaos -o .venv/node.lock && \
		diff -u $(NODE_LOCK) .venv/node.lock || \
		{ echo "A lock is not what the pyproject files ask for: run 'make lock' and commit it."; exit 1; }
	@$(BIN)/tieline schema --check
	@$(BIN)/python -m pytest --quiet tests/house/test_docs.py tests/house/test_figures.py tests/house/test_code.py tests/house/test_permission_page.py

format: .venv/ready ## put the code in the house's form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: .venv/uv-ready ## pin what the pyproject files ask for
	@$(LOCK) -o requirements.lock
	@$(PIN) --group chaos -o $(NODE_LOCK)

schema: .venv/ready ## print schema.graphql from the code
	@$(BIN)/tieline schema --write

clean: ## remove the demo's data, unless it is in use, and the environment
	@[ ! -x $(BIN)/tieline ] || $(BIN)/tieline clean
	rm -rf .venv

.venv/uv-ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tieline needs Python 3.11 or newer; $(PYTHON) is not. Name one: make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing: install it (on Debian: apt install python3-venv) and try again."; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@touch $@

.venv/ready: .venv/uv-ready requirements.lock pyproject.toml $(PROJECTS)
	@echo "Preparing the environment in .venv ..."
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --build-constraints requirements.lock --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python $(FOLDERS:%=-e %)
	@touch $@

# Node takes more room than half of all the rest, and nothing but a story of `make chaos` runs it.
.venv/node-ready: .venv/ready $(NODE_LOCK)
	@$(BIN)/uv pip install --quiet --require-hashes --python $(BIN)/python -r $(NODE_LOCK)
	@touch $@
