# Every verb that a person or CI uses. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The program that makes clusters: kind itself, or the one that stands in where there is no Docker.
KIND ?= tests/cluster/kind

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
	--generate-hashes --no-header

# The tests on a cluster mostly wait, so that two halves take little longer than one.
FIRST_HALF := tests/cluster/test_[a-g]*.py

export KIND

.PHONY: help
help:  ## List the verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml .requirements/dev.txt
	@echo "Making the virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement .requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: $(READY)  ## Tell the story of three versions on a real cluster
	@$(BIN)/python -m tests.demo

.PHONY: test
test: $(READY)  ## Run every test: those without a cluster, and beside them two halves of those on one
	@$(MAKE) --no-print-directory --jobs 3 test-alone test-on-a-cluster test-on-another

.PHONY: test-alone
test-alone: $(READY)  ## Run the tests that need no cluster
	@$(BIN)/python -m pytest --ignore tests/cluster

.PHONY: test-on-a-cluster
test-on-a-cluster: $(READY)  ## Run the first half of those on a real cluster
	@$(BIN)/python -m pytest $(FIRST_HALF)

.PHONY: test-on-another
test-on-another: $(READY)  ## Run the second half, on a cluster of its own
	@$(BIN)/python -m pytest tests/cluster --ignore-glob "$(FIRST_HALF)" --cluster-name modelwarden-other

.PHONY: check
check: $(READY) format lint types contracts generated test  ## Everything that CI asks for

.PHONY: format
format: $(READY)  ## Say what is not formatted
	@$(BIN)/ruff format --check .

.PHONY: lint
lint: $(READY)  ## Say what the linter finds
	@$(BIN)/ruff check .

.PHONY: types
types: $(READY)  ## Check the types
	@$(BIN)/mypy

.PHONY: contracts
contracts: $(READY)  ## Check who may import whom
	@$(BIN)/lint-imports

.PHONY: generate
generate: $(READY)  ## Write the CRDs, the policies and the list of reasons from the code
	@$(BIN)/python -m modelwarden.resources.crds
	@$(BIN)/python -m modelwarden.admission.policies
	@$(BIN)/python -m modelwarden.resources.reason_list

.PHONY: generated
generated: generate  ## Say which generated files are not as the code writes them
	@git diff --exit-code -- crds charts/modelwarden/files README.md

.PHONY: lock
lock: $(READY)  ## Write the lock files anew from pyproject.toml
	@$(COMPILE) pyproject.toml --all-extras --group dev --output-file .requirements/dev.txt
	@$(COMPILE) pyproject.toml --extra operator \
	  --constraint .requirements/dev.txt --output-file .requirements/operator.txt
	@$(COMPILE) pyproject.toml --group example-trainer \
	  --constraint .requirements/dev.txt --output-file .requirements/example-trainer.txt
	@for group in build validator example-server; do $(COMPILE) --group $$group \
	  --constraint .requirements/dev.txt --output-file .requirements/$$group.txt; done

.PHONY: cluster
cluster: $(READY)  ## Start a cluster with everything installed, to try things on
	@$(BIN)/python -m tests.demo --only-install

.PHONY: image
image: $(READY)  ## Build the images
	@$(BIN)/python -m tests.cluster.installed images

.PHONY: chart
chart: $(READY)  ## Test the chart alone
	@$(BIN)/python -m pytest tests/charts

.PHONY: bench
bench: $(READY)  ## Measure, as ratios in one run
	@$(BIN)/python -m tests.benchmarks

.PHONY: doctor
doctor:  ## Say what this machine lacks
	@$(KIND) doctor

.PHONY: down
down:  ## Remove everything that was started
	@tests/cluster/kind delete clusters --all
