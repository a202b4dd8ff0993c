# What one does here. `make` alone explains.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
RUN_ENV := $(VENV)/.run
DEV_ENV := $(VENV)/.dev
TRAIN_ENV := $(VENV)/.train
AUDIT_ENV := $(VENV)/.audit
HOST ?= 127.0.0.1
PORT ?= 8000
FUZZ_CASES ?= 350
TEST_CORES ?= auto
# The files that take longest first: one that begins last keeps the other core waiting.
TESTS ?= tests/training tests
OUTPUT ?= models/releases/$(shell date +%Y.%m.%d)

.DEFAULT_GOAL := help
.PHONY: help run test lint format train fuzz soak bench audit sbom docker clean

help: ## Explain these commands
	@echo "Counterpoint: scores reader comments, civility and stance. On a fresh machine with Python 3.11 or later:"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  %-14s %s\n", $$1, $$2 }'
	@echo
	@echo "  PORT=9000 make run, DATA_DIR=datasets make train, TESTS=tests/app make test"

run: $(RUN_ENV) ## Install what is needed into .venv, start the service, print a line to try
	$(BIN)/counterpoint serve --host $(HOST) --port $(PORT)

test: $(DEV_ENV) ## Install and run every test
	$(BIN)/python -m pytest -n $(TEST_CORES) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: $(DEV_ENV) ## Check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(DEV_ENV) ## Mend style and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

train: $(TRAIN_ENV) ## Build a new bundle from the datasets in DATA_DIR (or COUNTERPOINT_DATA_DIR)
	$(BIN)/counterpoint train --output $(OUTPUT) $(if $(DATA_DIR),--data-dir $(DATA_DIR))

fuzz: $(DEV_ENV) ## Send the service some 20,000 requests that nobody means to send
	FUZZ_CASES=$(FUZZ_CASES) $(BIN)/python -m pytest -s tests/faults/test_openapi.py tests/faults/test_raw_bodies.py

soak: $(DEV_ENV) ## Ten minutes of mixed requests: nothing fails, and memory does not grow
	$(BIN)/python -m benchmarks.soak

bench: $(DEV_ENV) ## Measure speed against a reference in the same run
	$(BIN)/python -m benchmarks

audit: $(AUDIT_ENV) ## Look for known weaknesses in the dependencies (asks the network)
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

sbom: $(AUDIT_ENV) ## Write sbom.json: what is installed, as CycloneDX
	$(BIN)/cyclonedx-py environment --of JSON --output-file sbom.json $(BIN)/python

docker: ## Build the container image counterpoint:latest
	docker build -t counterpoint:latest .

clean: ## Remove .venv and everything else that these commands made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_ENV): $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(DEV_ENV): $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(RUN_ENV)

$(TRAIN_ENV): $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[train]'
	@touch $@ $(RUN_ENV)

$(AUDIT_ENV): $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[audit]'
	@touch $@ $(RUN_ENV)
