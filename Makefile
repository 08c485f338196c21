.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

help: ## Show this help.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing; Python 3.11 or newer is needed"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11; try make PYTHON=python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(STAMP) ## Install everything into .venv.

demo: $(STAMP) ## Show a city being alerted, and keep serving (ARGS=... for more).
	$(BIN)/broadcaster demo $(ARGS)

test: $(STAMP) ## Run every test.
	$(BIN)/python -m pytest -q $(ARGS)

fuzz: $(STAMP) ## Search for faults at random, other examples each time (ARGS=... for pytest).
	HYPOTHESIS_PROFILE=search $(BIN)/python -m pytest -q tests/unit $(ARGS)

check: $(STAMP) ## Lint, types, layers, dependencies, spelling.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/deptry .
	$(BIN)/codespell

bench: $(STAMP) ## Run the benchmarks (ARGS=--json for the JSON lines alone).
	$(BIN)/python -m tests.bench.push $(ARGS)
	$(BIN)/python -m tests.bench.road $(ARGS)
	$(BIN)/python -m tests.bench.sms $(ARGS)
	$(BIN)/python -m tests.bench.emergency $(ARGS)
	$(BIN)/python -m tests.bench.log $(ARGS)

screenshots: $(STAMP) ## Save pictures of the console to screenshots/.
	$(BIN)/python -m tests.screenshots $(ARGS)

frames: $(STAMP) ## Draw the samples as screens show them, into docs/pictures.
	$(BIN)/python -m broadcaster.demo.sheet

clean: ## Remove what the other targets made.
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup demo test fuzz check bench screenshots frames clean
