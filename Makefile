# `make demo` opens the app on a small library; `make demo LIBRARY=~/music` on your own.
# `make test` runs every check, `make test-fault` kills, full disks and damage by the thousand;
# `make builtin-report GDR_SHARED=DIR` measures the built-in model.
# Each installs what it needs in .venv first.

PYTHON ?= python3
VENV ?= .venv
LIBRARY ?= demo
BIN = $(VENV)/bin
# torch's CPU build; an installed torch 2.6 or later is kept.
TORCH ?= torch==2.13.0

# Holds the recordings that the built-in model is measured on (about 20 GB).
WORK ?= $(HOME)/gdr-builtin
SHARE ?= 1
STEP = GDR_SHARED="$(GDR_SHARED)" $(BIN)/python -m recipes.builtin.

.PHONY: demo test test-fault check builtin-report shared setup setup-dev clean

demo: setup
	@sh demo/run.sh "$(BIN)/gdr" "$(LIBRARY)"

# One test per core, one thread each: torch's own threads would only wait for one another.
test: setup-dev check
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist worksteal

# Takes two hours of processor time, a tenth of that with SHARE=.1; `make test` runs a short form.
test-fault: setup-dev
	GDR_FAULTS="$(SHARE)" OMP_NUM_THREADS=1 $(BIN)/pytest tests/faults --numprocesses auto --dist worksteal

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

builtin-report: shared setup
	$(BIN)/python -m pip install --quiet --editable ".[train]"
	$(BIN)/gdr model pull musicnn
	$(STEP)corpus.sources --work "$(WORK)"
	$(STEP)corpus.prepare --work "$(WORK)"
	$(STEP)report.sets --work "$(WORK)"
	$(STEP)report.evaluate --work "$(WORK)"

# Asked before anything is installed or fetched.
shared:
	@test -f "$(GDR_SHARED)/teacher/yamnet.tflite" || { \
		echo "builtin-report needs GDR_SHARED=DIR, the folder with teacher/yamnet.tflite and data/" >&2; \
		exit 1; }

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
