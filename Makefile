# `make demo` opens the app on a small library; `make demo LIBRARY=~/music` on your own.
# `make test` runs every check. Both set up what they need in .venv first.

PYTHON ?= python3
VENV ?= .venv
LIBRARY ?= demo
BIN = $(VENV)/bin
# torch's CPU build where no GPU asks for another; any 2.6 or later that is installed is kept.
TORCH ?= torch==2.13.0

.PHONY: demo test check setup setup-dev clean

demo: setup
	@sh demo/run.sh "$(BIN)/gdr" "$(LIBRARY)"

test: setup-dev check
	$(BIN)/pytest

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: $(VENV)/installed
setup-dev: $(VENV)/installed-dev

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

clean:
	rm -rf $(VENV)
