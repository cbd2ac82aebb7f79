# Every command sets up what it needs in .venv. Only Python 3.11 or newer must be installed.
PYTHON ?= python3
VENV ?= .venv
# Some of the lowest versions are built for Python 3.11 only.
FLOORS_PYTHON ?= $(shell command -v python3.11 || echo $(PYTHON))
FLOORS ?= .venv-floors
BIN = $(VENV)/bin
DEMO ?= demo-out

.DEFAULT_GOAL := help
.PHONY: help demo demo-steps test check slow cluster floors docs bench dist clean

help:
	@echo "make demo    build the example archive into $(DEMO)/ and look at the result"
	@echo "make test    run the tests, without the slow ones (under three minutes)"
	@echo "make check   run ruff and mypy"
	@echo "make slow    run the slow tests"
	@echo "make cluster run the tests that need Ray, which it installs (250 MB), or two hosts"
	@echo "make floors  run the tests of loading with the lowest versions that are allowed, in $(FLOORS)"
	@echo "make docs    make the documentation site in site/; open site/index.html"
	@echo "make bench   run the benchmarks (tens of minutes)"
	@echo "make dist    make wheel and sdist in dist/"
	@echo "make clean   remove the environments, the demo and all caches"

$(VENV)/.base: pyproject.toml constraints.txt
	@echo "Creating a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing newsdata and what it needs (about 2 minutes) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(VENV)/.base demo-steps

# The demo alone, with the newsdata in $(BIN), from any folder that holds examples/archive: .ci/run does that with the wheel.
demo-steps: export HF_DATASETS_DISABLE_PROGRESS_BARS = 1
demo-steps:
	@echo
	@echo "1. Build a dataset from the posts in examples/archive"
	@echo "   $$ newsdata build examples/archive $(DEMO)"
	@rm -rf $(DEMO)
	@$(BIN)/newsdata build examples/archive $(DEMO)
	@echo
	@echo "2. Check every file and row of it"
	@echo "   $$ newsdata verify $(DEMO)"
	@$(BIN)/newsdata verify $(DEMO)
	@echo
	@echo "3. See what is in it"
	@echo "   $$ newsdata info $(DEMO)"
	@$(BIN)/newsdata info $(DEMO)
	@echo
	@echo "4. Load the train split in Python and look at one row"
	@echo '   >>> train = newsdata.load_dataset("$(DEMO)", split="train")'
	@echo '   >>> row = train[14]'
	@$(BIN)/python -c "import newsdata; train = newsdata.load_dataset('$(DEMO)', split='train'); row = train[14]; \
	  print(*(f'{name}: {row[name]}' for name in ('article_id', 'title', 'published_at', 'source', 'num_chars')), sep='\n')"
	@echo
	@echo "Done. The dataset is in $(DEMO)/1.0.0; its README.md describes every column."

test: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow and not cluster" -n auto

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow -n auto

# A cluster takes the whole machine, so its tests run one at a time.
cluster: $(VENV)/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt ray
	$(BIN)/python -m pytest -m cluster

$(FLOORS)/.floors: pyproject.toml constraints-floors.txt
	@$(FLOORS_PYTHON) -m venv $(FLOORS)
	$(FLOORS)/bin/pip install --quiet --disable-pip-version-check -c constraints-floors.txt -e . \
	  pytest pytest-xdist hypothesis polars
	@touch $@

floors: $(FLOORS)/.floors
	$(FLOORS)/bin/python -m pytest -m "not slow and not cluster" -n auto tests/dataset tests/storage tests/card tests/test_schema.py tests/test_errors.py

# Fails at a link or an anchor that leads nowhere, and at a public name without a page.
docs: $(VENV)/.dev
	$(BIN)/python scripts/docs_pages.py build/docs
	$(BIN)/zensical build --strict --clean

bench: $(VENV)/.dev
	$(BIN)/python scripts/benchmark.py

dist: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist

clean:
	rm -rf $(VENV) $(FLOORS) $(DEMO) build dist site .cache *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
