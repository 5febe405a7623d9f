# make install   .venv with .venv/bin/mailrouter
# make test      everything that is checked: format, lint, types, layers, tests
# make bench     what it costs, side by side with Postfix

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: install test check bench clean

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

check: $(VENV)/.test
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

test: check
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST)

bench: $(VENV)/.test
	$(VENV)/bin/python -m bench.throughput

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
