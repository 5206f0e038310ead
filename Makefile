# Two commands for a newcomer: `make demo` and `make test`. Both create .venv and install what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REAL := .venv-real

.PHONY: demo test test-real lint bench clean

KERNEL := build_kernel.py $(wildcard src/rlscale/inference/backend/kernel*.[ch])

$(BIN)/.installed: pyproject.toml $(KERNEL)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: $(BIN)/.installed  ## rank the bundled real runs and write report.html
	$(BIN)/rlscale demo --report report.html

lint: $(BIN)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint  ## everything CI runs, two tests at a time; one where tests write the golden files
	$(BIN)/python -m pytest --numprocesses $(if $(RLSCALE_REGENERATE),0,2) --dist worksteal

$(REAL)/.installed: pyproject.toml $(KERNEL)
	$(PYTHON) -m venv $(REAL)
	$(REAL)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[real,parquet]' 'pytest>=8' 'hypothesis>=6.100'
	touch $@

test-real: $(REAL)/.installed  ## real TRL runs, trackers, MLflow server and Ray Tune trials; installs 2 GB
	$(REAL)/bin/python -m pytest -m real tests/real tests/sources/trackers

bench: $(BIN)/.installed  ## measure every number the README quotes
	$(BIN)/python -m benchmarks.run_all

clean:
	rm -rf $(VENV) $(REAL)
