# make demo            try it: the relay, a few mails and what became of them; ends with Ctrl-C
# make install         .venv with .venv/bin/mailrouter
# make install-locked  .venv for development with exactly the versions of requirements/, hashes checked
# make quick           what to run after each change: format, lint, types, layers, the fast tests (under a minute)
# make fix             format, and mend what ruff can mend
# make test            everything that is checked: format, lint, types, layers, tests; MAILROUTER_FULL=1 at full length
# make coverage        which lines and branches the fast tests reach; TESTS=tests/intake for others
# make test-all        `make test` under each Python from 3.11 to 3.14 that is found; WHAT=quick for the fast tests
# make image-test      the container image, built and run for real with podman (as root; about a minute)
# make unit-test       the systemd unit under a systemd of its own, set up as docs/deploy.md says (as root; two minutes)
# make torture         the relay under load, killed over 200 times and worse, and what was lost (as root; about six minutes)
# make bench           what it costs, side by side with Postfix
# make lock            write requirements/ anew after a change of dependencies; UPGRADE=--upgrade for newer versions
# make release         VERSION=x.y.z: set, commit and tag a version whose section of CHANGELOG.md is there
# make clean           remove the environments and caches

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

# The fast tests: the pure rooms and the configuration; nothing that starts a process or waits.
FAST := tests/message tests/routing tests/schedule tests/trust tests/config tests/docs/test_docs_modules.py \
    tests/test_caching.py tests/test_events.py tests/test_keyed.py tests/test_layout.py
TESTS ?= $(FAST)
WHAT ?= test

.PHONY: help demo install install-locked quick fix test check coverage test-all image-test unit-test torture bench lock \
    release clean

help:
	@sed -n 's/^# make /  make /p' Makefile

install: $(VENV)/bin/mailrouter

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/bin/mailrouter: $(VENV)/bin/python pyproject.toml
	$(PIP) install --editable .
	$(VENV)/bin/python -m compileall -q mailrouter # also where PYTHONDONTWRITEBYTECODE is set: 80 ms a command
	@touch $@
	@echo "mailrouter is in $(VENV)/bin; a first look: $(VENV)/bin/mailrouter check"

$(VENV)/.test: $(VENV)/bin/mailrouter
	$(PIP) install --editable '.[test]'
	@touch $@

# Hashes come first, so that what is installed after them has nothing left to fetch.
install-locked: $(VENV)/bin/python
	$(PIP) install --require-hashes --requirement requirements/development.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(VENV)/bin/python -m compileall -q mailrouter
	@touch $(VENV)/bin/mailrouter $(VENV)/.test

# The first time it makes .venv, which takes a while: the dots show that it is at work. They end with the shell
# that waits for pip, however it ends.
demo:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "mailrouter needs Python 3.11 or newer; name one: make demo PYTHON=python3.12"; exit 1; }
	@$(MAKE) --question install 2>/dev/null || { \
	    echo "Preparing mailrouter in $(VENV): half a minute, the first time."; \
	    (while sleep 1 && kill -0 $$$$ 2>/dev/null; do printf .; done) & dots=$$!; \
	    $(MAKE) --silent --no-print-directory install; made=$$?; \
	    kill $$dots; echo; test $$made -eq 0; }
	@$(VENV)/bin/mailrouter demo $(DEMO)

check: $(VENV)/.test
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

quick: check
	$(VENV)/bin/python -m pytest --quiet --numprocesses 2 --hypothesis-profile quick -m "not slow" $(FAST) $(PYTEST)

fix: $(VENV)/.test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# Many tests wait for a clock or a disk, so three at a time keep two processors at work.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(max(3, os.cpu_count() or 1))')
test: check
	$(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST)

coverage: $(VENV)/.test
	$(VENV)/bin/python -m coverage run -m pytest --quiet --hypothesis-profile quick -m "not slow" $(TESTS) $(PYTEST); \
	    passed=$$?; $(VENV)/bin/python -m coverage report && exit $$passed

test-all:
	@$(PYTHON) tools/test_all.py $(WHAT)

image-test: $(VENV)/bin/python
	$(VENV)/bin/python -m tests.packaging.image

unit-test: $(VENV)/.test
	$(VENV)/bin/python -m tests.packaging.unit

torture: $(VENV)/.test
	MAILROUTER_FULL=1 $(VENV)/bin/python -m tests.torture $(TORTURE)

bench: $(VENV)/.test
	$(VENV)/bin/python -m bench.throughput --profile

# Universal: one file for each Python and system that mailrouter supports. What is pinned already stays, unless UPGRADE says otherwise.
LOCK = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --custom-compile-command 'make lock' $(UPGRADE)
lock: $(VENV)/bin/python
	$(PIP) install uv
	$(LOCK) pyproject.toml --extra test --output-file requirements/development.txt
	$(LOCK) pyproject.toml --extra web --constraint requirements/development.txt --output-file requirements/image.txt
	$(VENV)/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	    | $(LOCK) - --constraint requirements/development.txt --output-file requirements/build.txt

release:
	@$(PYTHON) tools/release.py '$(VERSION)' '$(DATE)'

clean:
	rm -rf $(VENV) .venvs .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
