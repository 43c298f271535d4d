# `make demo` and `make test` need Python 3.11 or newer, and nothing else. TORCH picks another build of torch:
#   make demo TORCH="torch --index-url https://download.pytorch.org/whl/cpu"
PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch
BIN := $(VENV)/bin

.PHONY: demo test test-browser test-faults test-mmdet3d lint types unit wheel clean

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

# Two at a time: a file's tests stay together, since they share what they painted.
unit: $(VENV)/.test
	$(BIN)/pytest -n 2 --dist loadfile

# Hours: the counts that docs/reliability.md records. `make test` runs the same suites with small ones.
test-faults: $(VENV)/.test
	rm -f build/faults/full.jsonl
	PAINTPIPE_FAULTS=full $(BIN)/pytest tests/faults

# Once about 20 minutes to compile mmcv; docs/export/mmdet3d.md records what it said. MMDET_TORCH picks another build of torch.
MMDET ?= build/mmdet3d/venv
MMDET_TORCH ?= torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu

$(MMDET)/.built: scripts/mmdet3d_environment.sh
	mkdir -p $(dir $(MMDET))
	PYTHON=$(PYTHON) sh scripts/mmdet3d_environment.sh $(MMDET) "$(MMDET_TORCH)"
	touch $@

test-mmdet3d: $(VENV)/.test $(MMDET)/.built
	$(BIN)/python tests/mmdet3d/make_exports.py build/mmdet3d
	$(MMDET)/bin/python tests/mmdet3d/check_loaders.py build/mmdet3d

# The report and the 3-D page in a headless Chromium, which has to be on the PATH.
test-browser: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --editable '.[test,browser]'
	$(BIN)/pytest tests/browser

wheel: $(VENV)/.test
	$(BIN)/python scripts/check_wheel.py

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
