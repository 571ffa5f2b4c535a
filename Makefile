# LACS: what a newcomer types. `make` lists it.
# Settings are variables: `make up PORT=8001`. All of them are explained in .env.example.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up test lint bench lock clean

# 3.12 and 3.11 first: every package has a wheel for them.
PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null </dev/null \
	&& { echo $$p; break; }; done)
PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
SERVERS := $(PY) -m lacs_web.embedded.run --
LOCK = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(LOCKARGS) pyproject.toml
BENCHMARKS ?= ingest upload detect review dashboard
NETWORK := Look above for the reason; without a network, connect to one and run make again.

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 14

up: .venv/run.stamp node_modules/.stamp ## start LACS on this machine; Ctrl-C stops it
	@exec $(PY) -m lacs_web.embedded.up

test: .venv/dev.stamp node_modules/.stamp ## run every test (some: make test ARGS="tests/detection -x")
	@$(if $(wildcard tests/js/*.test.js),$(PY) -m lacs_web.embedded.node node --test $(wildcard tests/js/*.test.js))
	@LACS_CHROMIUM="$$($(PY) -m lacs_web.embedded.chromium)" && export LACS_CHROMIUM && \
		exec $(SERVERS) $(PY) -m pytest $(ARGS)

lint: .venv/dev.stamp ## check style, types, templates and migrations
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(SERVERS) sh -ec '$(PY) -m mypy .; $(PY) manage.py check; \
		$(PY) manage.py makemigrations --check --dry-run; $(PY) -m pytest -q tests/test_templates.py'

bench: .venv/dev.stamp node_modules/.stamp ## measure; one JSON object for each of BENCHMARKS
	@$(SERVERS) sh -ec '$(PY) manage.py migrate --verbosity 0; \
		for name in $(BENCHMARKS); do $(PY) manage.py bench $$name --json; done'

lock: .venv/pyvenv.cfg ## renew the locks (one package: make lock LOCKARGS="--upgrade-package NAME")
	@$(PIP) uv
	$(LOCK) --extra embedded --output-file requirements/run.txt
	$(LOCK) --constraint requirements/run.txt --output-file requirements/server.txt
	$(LOCK) --constraint requirements/run.txt --extra embedded --extra dev --output-file requirements/dev.txt

clean: ## remove what make installed; data stay
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp is newer than the lock that it stands for, so nothing is installed twice.
.venv/pyvenv.cfg:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "lacs: Python 3.11 or newer is needed: install it, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "lacs: Python could not make a virtual environment. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }

.venv/%.stamp: requirements/%.txt .venv/pyvenv.cfg
	@echo "lacs: installing the packages of requirements/$*.txt"
	@$(PIP) --require-hashes --requirement $< || { echo "lacs: the packages could not be installed. $(NETWORK)" >&2; exit 1; }
	@touch $@

node_modules/.stamp: package-lock.json
	@echo "lacs: installing the browser libraries of package-lock.json"
	@$(PY) -m lacs_web.embedded.node npm ci --silent || { echo "lacs: they could not be installed. $(NETWORK)" >&2; exit 1; }
	@touch $@
