# make demo      try it: the relay, a few mails and what became of them; ends with Ctrl-C
# make install   .venv with .venv/bin/mailrouter
# make test      everything that is checked: format, lint, types, layers, tests
# make image-test  the container image, built and run for real with podman (as root; about a minute)
# make unit-test  the systemd unit under a systemd of its own, set up as docs/deploy.md says (as root; two minutes)
# make torture   the relay under load, killed over 200 times and worse, and what was lost (as root; about six minutes)
# make bench     what it costs, side by side with Postfix
# make release VERSION=x.y.z  set, commit and tag a version whose section of CHANGELOG.md is there

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo install test check image-test unit-test torture bench release clean

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

test: check
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST)

image-test: $(VENV)/bin/python
	$(VENV)/bin/python -m tests.packaging.image

unit-test: $(VENV)/.test
	$(VENV)/bin/python -m tests.packaging.unit

torture: $(VENV)/.test
	$(VENV)/bin/python -m tests.torture $(TORTURE)

bench: $(VENV)/.test
	$(VENV)/bin/python -m bench.throughput --profile

release:
	@$(PYTHON) tools/release.py '$(VERSION)' '$(DATE)'

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
