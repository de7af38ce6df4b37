# Two commands do everything on a fresh machine with Python 3.11 or later: `make demo` and `make test`.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Processes that run tests side by side; 0 runs all in one, in which a debugger can be used.
JOBS   ?= 2
PIP    := $(BIN)/pip --disable-pip-version-check -q
CODE   := api cli core forms model segmentation storage worker tests benchmarks examples

.PHONY: help demo up test check format lock openapi clean

help: ## Show the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## Read the example scans through the real service and show the readings (KEEP=1 leaves it running).
	$(BIN)/python -m examples.demo $(if $(KEEP),--keep)

up: $(VENV)/.runtime ## Start the service and leave it running.
	$(BIN)/tallyscan up

test: $(VENV)/.dev ## Run the tests, in two processes (JOBS=0: in one).
	$(BIN)/python -m pytest -n $(JOBS) --durations=20 --durations-min=5

check: $(VENV)/.dev ## Check format, lint, types and the directions of import.
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code and mend what the linter can mend.
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

openapi: $(VENV)/.dev ## Write docs/openapi.json again.
	$(BIN)/python -m api.openapi docs/openapi.json

lock: ## Resolve both locks again (needs uv).
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-header -q --upgrade -o requirements.lock
	uv pip compile pyproject.toml --extra s3 --extra train --group build --group dev -c requirements.lock \
		--universal --python-version 3.11 --generate-hashes --no-header -q --upgrade -o requirements-dev.lock

clean: ## Remove the virtual environment and the caches.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV) && $(PIP) install --require-hashes -r requirements-pip.lock || { rm -rf $(VENV); exit 1; }

# What runs: API, worker, command line. No TensorFlow.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

# What trains and tests, on top.
$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@ $(VENV)/.runtime
