# Everything sets itself up: `make demo` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO ?= demo-out

.DEFAULT_GOAL := help
.PHONY: help demo test check slow bench clean

help:
	@echo "make demo    build the example archive into $(DEMO)/ and look at it"
	@echo "make test    the tests, with everything they need (under three minutes)"
	@echo "make check   ruff and mypy"
	@echo "make slow    the tests that take minutes"
	@echo "make bench   the benchmarks, side by side in one run"

$(VENV)/.base: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(VENV)/.base
	rm -rf $(DEMO)
	$(BIN)/newsdata build examples/archive $(DEMO)
	$(BIN)/newsdata verify $(DEMO)
	$(BIN)/newsdata info $(DEMO)
	$(BIN)/python -c "import newsdata; rows = newsdata.load_dataset('$(DEMO)', split='train'); print(rows); print(rows[0]['title'])"

test: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow" -n auto

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow -n auto

bench: $(VENV)/.dev
	$(BIN)/python scripts/benchmark.py

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
