# `make demo` and `make test` need Python 3.11 or newer, and nothing else. TORCH picks another build of torch:
#   make demo TORCH="torch --index-url https://download.pytorch.org/whl/cpu"
PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch
BIN := $(VENV)/bin

.PHONY: demo test test-faults lint types unit wheel clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.torch: | $(BIN)/python
	$(BIN)/python -m pip install $(TORCH)
	touch $@

$(VENV)/.demo: pyproject.toml | $(VENV)/.torch
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.torch
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/paintpipe demo

test: lint types unit wheel

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	mkdir -p build/typing && ln -sfn ../.. build/typing/paintpipe
	$(BIN)/mypy

unit: $(VENV)/.test
	$(BIN)/pytest

# Hours: the counts that docs/reliability.md records. `make test` runs the same suites with small ones.
test-faults: $(VENV)/.test
	rm -f build/faults/full.jsonl
	PAINTPIPE_FAULTS=full $(BIN)/pytest tests/faults

wheel: $(VENV)/.test
	$(BIN)/python scripts/check_wheel.py

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
