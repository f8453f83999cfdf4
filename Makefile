# `make demo` and `make test` do all the set-up; a second run is quick.
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed
# What is pure is covered but for two generated lines; elsewhere nine of ten.
PURE := spec/*,wire/*,server/wigwag/server/core/*

.DEFAULT_GOAL := help

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

.PHONY: help
help: ## List what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: install
install: $(STAMP) ## Make the virtual environment

.PHONY: demo
demo: $(STAMP) ## Two people talk end to end, through crashes (about 30 s)
	$(BIN)/wigwag demo

.PHONY: lint
lint: $(STAMP) ## ruff, import contracts, generated files are fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/wigwag spec check
	$(BIN)/wigwag spec generate --check

.PHONY: types
types: $(STAMP) ## mypy and pyright, both strict
	$(BIN)/mypy
	$(BIN)/pyright --project pyproject.toml

.PHONY: unit
unit: $(STAMP) ## All tests, with branch coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses auto --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='$(PURE)' --precision=2 --fail-under=99.9
	$(BIN)/coverage report --omit='$(PURE)' --fail-under=90

.PHONY: test
test: lint types unit ## Everything that must hold before a push

.PHONY: torture
torture: $(STAMP) ## The long form: crashes, power cuts, 500 simulated hours, floods (hours)
	$(BIN)/python -m tests.durability all --full --jobs 2
	$(BIN)/python -m tests.explorer all --deep
	$(BIN)/python -m tests.server.limits.memory --connections 5000
	$(BIN)/python -m tests.soak --minutes 5
	$(BIN)/wigwag bench server storm --repeat 1
	$(BIN)/wigwag bench adversary
	$(BIN)/python -m tests.simulation --hours-total 500 --jobs 2 --quiet

.PHONY: generate
generate: $(STAMP) ## Rebuild the codec from the specification
	$(BIN)/wigwag spec generate

.PHONY: format
format: $(STAMP) ## Format and sort imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: clean
clean: ## Remove the virtual environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
