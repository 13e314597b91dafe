# Everything a contributor or a newcomer types. Needs python3 (3.11 or newer), make and pip; nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UP_ARGS ?=
# Tests run in as many processes as there are processors; PYTEST_ARGS=-n0 runs them in one.
TESTS := -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadscope
PYTEST_ARGS ?=
LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-annotate --no-header

.PHONY: help up test check bench lock fmt lint clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) scripts/install_venv.py $(VENV) requirements/dev.txt $(STAMP)

up: $(STAMP) ## Start Temporal, worker, web and the sample shop; state stays in ./.assent
	@$(BIN)/assent up --data-dir .assent $(UP_ARGS)

test: $(STAMP) ## Run every test that needs no system package
	@$(BIN)/python scripts/obtain_temporal.py
	$(BIN)/python $(TESTS) $(PYTEST_ARGS)

lint: $(STAMP) ## Format check, lint, types and import arrows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## What CI runs: lint, then every test with Chromium and PostgreSQL present
	@scripts/ensure_optional_parts.sh
	@$(BIN)/python scripts/obtain_temporal.py
	ASSENT_REQUIRE_OPTIONAL=1 $(BIN)/python $(TESTS) $(PYTEST_ARGS)

bench: $(STAMP) ## Measure Assent against bare Temporal and print the ratios
	$(BIN)/python -m benchmarks

fmt: $(STAMP) ## Format the code and apply safe lint fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## Write the hash-pinned requirements again from pyproject.toml
	@$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile $(LOCK_FLAGS) --extra dev -o requirements/dev.txt pyproject.toml
	$(VENV)/lock/bin/uv pip compile $(LOCK_FLAGS) --extra postgres -c requirements/dev.txt \
		-o requirements/runtime.txt pyproject.toml
	echo hatchling | $(VENV)/lock/bin/uv pip compile $(LOCK_FLAGS) -c requirements/dev.txt -o requirements/build.txt -

clean: ## Remove the environment, caches and build results; keeps ./.assent
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
