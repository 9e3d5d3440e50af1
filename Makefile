# Everything happens in .venv, which is made when it is needed and brought up to date when a lock has changed.
# Needs Python 3.11 or newer, git and make. Another Python: make demo PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)

unexport PYTHONDONTWRITEBYTECODE  # an environment without bytecode starts slowly

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-backends lint typecheck format bench wheel lock docs clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/core  ## Run a finished benchmark offline and print its results
	@$(BIN)/sqlassay demo

test: $(VENV)/dev  ## Run the whole test suite
	$(BIN)/python -m pytest --numprocesses auto $(ARGS)

test-backends: $(VENV)/dev  ## Run the tests of the five engines, with servers in Docker
	$(BIN)/python -m pytest --numprocesses auto tests/database_backends tests/security tests/servers $(ARGS)

lint: $(VENV)/dev typecheck  ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

typecheck: $(VENV)/dev  ## Check types (mypy --strict)
	$(BIN)/mypy --strict

format: $(VENV)/dev  ## Put the code into its one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev  ## Measure how fast it is
	$(BIN)/python -m benchmarks.run $(ARGS)

docs: $(VENV)/dev  ## Run the examples of README.md and docs/, and write their output into the pages
	$(BIN)/python docs/renew.py

wheel: $(VENV)/dev  ## Build the wheel and the source archive into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .

lock: $(VENV)/dev  ## Write the locks anew after a change in pyproject.toml; newest versions: make lock UPGRADE=--upgrade
	$(PIP) install uv
	$(LOCK) --extra all --extra dev --output-file requirements-dev.lock
	$(LOCK) --extra all --constraints requirements-dev.lock --no-annotate --output-file requirements.lock
	$(LOCK) --constraints requirements-dev.lock --no-annotate --output-file requirements-core.lock

clean:  ## Remove the environment, caches and built files; runs stay
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps core and dev say that the environment holds what that lock and pyproject.toml say.
$(VENV)/core: requirements-core.lock pyproject.toml | $(BIN)/python
	@echo "installing what runs (once, some ten seconds) ..."
	$(PIP) install --require-hashes -r requirements-core.lock
	$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/dev: requirements-dev.lock requirements-core.lock pyproject.toml | $(BIN)/python
	@echo "installing what the tests need (once, half a minute) ..."
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --editable .
	@touch $(VENV)/core $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is missing or older than Python 3.11. Name another: make PYTHON=python3.13 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make environments: install python3-venv (Debian, Ubuntu: apt install python3-venv)."; exit 1; }
	@$(PYTHON) -m venv $(VENV)
