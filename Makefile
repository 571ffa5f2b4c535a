# LACS: what a newcomer types. `make` lists it.
# Settings are variables: `make up PORT=8001`. All of them are explained in .env.example.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up worker manage test lint audit bench faults pictures train lock clean

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

up: .venv/run.stamp node_modules/.stamp .venv/words.stamp ## start LACS on this machine; Ctrl-C stops it
	@exec $(PY) -m lacs_web.embedded.up

worker: .venv/server.stamp ## have this machine detect for a LACS elsewhere (docs/operations.md)
	@test -n "$$DATABASE_URL" && test -n "$$REDIS_URL" && test -n "$$SECRET_KEY" || { \
		echo "lacs: DATABASE_URL, REDIS_URL and SECRET_KEY must be those of the LACS to work for" >&2; exit 1; }
	@exec $(PY) -m celery --app lacs_web worker --queues inference --concurrency 1 \
		--hostname "inference@%h" --without-gossip --without-mingle

manage: .venv/run.stamp ## a command beside a running `make up`: make manage ARGS="signin_link EMAIL"
	@exec $(PY) -m lacs_web.embedded.manage $(ARGS)

test: .venv/dev.stamp node_modules/.stamp .venv/words.stamp ## run every test (some: make test ARGS="tests/detection -x")
	@$(if $(wildcard tests/js/*.test.js),$(PY) -m lacs_web.embedded.node node --test $(wildcard tests/js/*.test.js))
	@LACS_CHROMIUM="$$($(PY) -m lacs_web.embedded.chromium)" && export LACS_CHROMIUM && \
		exec $(SERVERS) $(PY) -m pytest --numprocesses 2 $(ARGS)

lint: .venv/dev.stamp ## check style, types, templates and migrations
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(SERVERS) sh -ec '$(PY) -m mypy .; $(PY) manage.py check; \
		$(PY) manage.py makemigrations --check --dry-run; $(PY) -m pytest -q tests/test_templates.py'

audit: .venv/pyvenv.cfg ## ask the public lists about known holes in the server's packages
	@$(PIP) pip-audit
	@$(PY) -m pip_audit --disable-pip --require-hashes --requirement requirements/server.txt

bench: .venv/dev.stamp node_modules/.stamp .venv/words.stamp ## measure; one JSON object for each of BENCHMARKS
	@$(SERVERS) sh -ec '$(PY) manage.py migrate --verbosity 0; failed=; \
		for name in $(BENCHMARKS); do $(PY) manage.py bench $$name --json || failed="$$failed $$name"; done; \
		test -z "$$failed" || { echo "lacs: not measured:$$failed" >&2; exit 1; }'

faults: ## kill parts of an installation of its own in mid-work; what is lost? (docs/reliability.md)
	@$(MAKE) --no-print-directory bench BENCHMARKS="reliability load"

pictures: ## take the manual's pictures anew, in each language, from the pages themselves
	@LACS_PICTURES=1 $(MAKE) --no-print-directory test ARGS="tests/e2e/test_manual_pictures.py"

train: .venv/run.stamp ## train the detector in var/training (installs PyTorch; options: make train ARGS="--minutes 30")
	@$(PY) -c 'import onnx, torch' 2>/dev/null || $(PIP) '.[train]'
	@nice $(PY) -m detection.training var/training $(ARGS)

lock: .venv/pyvenv.cfg ## renew the locks (one package: make lock LOCKARGS="--upgrade-package NAME")
	@$(PIP) uv
	$(LOCK) --extra embedded --output-file requirements/run.txt
	$(LOCK) --constraint requirements/run.txt --extra s3 --output-file requirements/server.txt
	$(LOCK) --constraint requirements/run.txt --extra embedded --extra s3 --extra dev --output-file requirements/dev.txt

clean: ## remove what make installed; data stay
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp is newer than the lock that it stands for, so nothing is installed twice.
.venv/pyvenv.cfg:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "lacs: Python 3.11 or newer is needed: install it, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "lacs: Python could not make a virtual environment. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }

# Needs one of the two stamps above; whichever target asked for this one asked for it first.
.venv/words.stamp: $(wildcard locale/*/LC_MESSAGES/django.po)
	@.venv/bin/pybabel --quiet compile --directory locale --domain django
	@touch $@

.venv/%.stamp: requirements/%.txt .venv/pyvenv.cfg
	@echo "lacs: installing the packages of requirements/$*.txt"
	@$(PIP) --require-hashes --requirement $< || { echo "lacs: the packages could not be installed. $(NETWORK)" >&2; exit 1; }
	@touch $@

node_modules/.stamp: package-lock.json
	@echo "lacs: installing the browser libraries of package-lock.json"
	@$(PY) -m lacs_web.embedded.node npm ci --silent || { echo "lacs: they could not be installed. $(NETWORK)" >&2; exit 1; }
	@touch $@
