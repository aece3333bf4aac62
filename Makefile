# `make demo` and `make test` need Python 3.11 or 3.12 and the package index; nothing else.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
BUNDLE ?= $(or $(RECSYS_BUNDLE),saved_model/sample)

# The first interpreter of a version that the pinned packages support; `make PYTHON=/path/to/python3.12 ...` overrides.
PYTHON ?= $(shell for python in python3.11 python3.12 python3 python; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo "$$python" && break; done)

.PHONY: help demo serve dashboard dashboard-dev dashboard-check test test-slow test-browser screenshots lint types imports security check requirements wheel docs config-docs install install-dev clean

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 23

demo: install ## From synthetic raw reviews to recommendations over HTTP, in minutes; KEEP=1 keeps the server up.
	@$(BIN)/python demo.py $(if $(KEEP),--keep)

serve: install ## Serve a bundle until Ctrl-C; BUNDLE=saved_model/NAME, default saved_model/sample.
	@test -e "$(BUNDLE)" || { echo "No bundle in $(BUNDLE). Make one: 'make demo' for the sample, or prepare_data.py and train.py" \
	  "with a config; then 'make serve BUNDLE=saved_model/NAME'." >&2; exit 5; }
	@RECSYS_BUNDLE="$(BUNDLE)" $(BIN)/python -m serve

test: install-dev ## The default tests.
	@$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

test-slow: install-dev ## The long ones.
	@$(BIN)/python -m pytest -q -m slow

test-browser: install-dev ## The dashboard in Chromium; skipped, with the reason, where something for that is missing.
	@$(BIN)/python -m pytest -q -m browser tests/browser

lint: install-dev ## Ruff: rules and format.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: install-dev ## mypy, strict.
	@$(BIN)/mypy

imports: install-dev ## Import contracts: which package may import which.
	@$(BIN)/lint-imports

screenshots: install-dev ## Pictures of the dashboard for its documentation, of BUNDLE.
	@$(BIN)/python -m tools.screenshots --bundle "$(BUNDLE)"

# The engine composes its queries of names that stand in its code, and binds values; rule B608 cannot tell.
ENGINE := recsys/prepare/engine
BANDIT = $(BIN)/bandit --quiet --recursive --severity-level medium --confidence-level medium --format custom \
	--msg-template '{relpath}:{line}: {test_id} {msg}'

security: install-dev ## Bandit over the code that ships, pip-audit over the pinned packages.
	@$(BANDIT) --exclude $(ENGINE) recsys serve tools *.py
	@$(BANDIT) --skip B608 $(ENGINE)
	@$(BIN)/python -m tools.audit requirements-dev.txt

check: lint types imports security ## All four of them.

# One set for both versions of Python: compiled for the older, then checked against the newer. A version stays as long
# as it fits; without its line, it is chosen anew. Each smaller file takes its versions from the largest.
LOCK = $(BIN)/uv pip compile --quiet --python-platform linux --annotation-style line \
	--custom-compile-command "make requirements"

requirements: install-dev ## Write the requirements files from pyproject.toml; `make test` checks that they agree.
	@$(LOCK) --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.txt
	@$(LOCK) --python-version 3.12 --extra dev pyproject.toml -c requirements-dev.txt >/dev/null
	@cp requirements-dev.txt requirements.txt
	@$(LOCK) --python-version 3.11 --extra serve --extra train pyproject.toml -o requirements.txt
	@cp requirements-dev.txt requirements-serve.txt
	@$(LOCK) --python-version 3.11 --extra serve pyproject.toml -o requirements-serve.txt
	@$(LOCK) --python-version 3.11 --no-deps --group text-encoder -o requirements-nodeps.txt

wheel: install-dev ## Build the package: dist/recsys-VERSION-py3-none-any.whl.
	@$(BIN)/python -m hatchling build --target wheel

# The page at /ui/: Node 20 builds it; nobody else needs Node, since the built files are committed.
NPM = cd dashboard && npm
PACKAGES := dashboard/node_modules/.package-lock.json

dashboard: install-dev $(PACKAGES) ## Check the page and build it: types of the API, then serve/dashboard/static/.
	@$(NPM) run --silent api
	@$(NPM) run --silent check
	@$(NPM) run --silent build
	@$(BIN)/python -m tools.dashboard_size

URL ?= http://127.0.0.1:8000
dashboard-dev: $(PACKAGES) ## The page as it is written, on port 5173; URL=http://... of the server that it asks.
	@cd dashboard && RECSYS_URL="$(URL)" npm run --silent dev

dashboard-check: install-dev ## Whether the page's built files are what its sources make; without Node, skipped.
	@$(BIN)/python -m tools.dashboard_check

$(PACKAGES): dashboard/package-lock.json
	@command -v npm >/dev/null || { echo "Expected Node 20.19 or later with npm on the PATH; found none." \
	  "It builds the page; the server runs without it." >&2; exit 1; }
	@$(NPM) ci --no-audit --no-fund
	@touch $@

docs: install-dev config-docs ## Build the documentation into site/, strictly; it can be opened from disk.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@$(BIN)/python -m tools.check_site site

config-docs: install ## Write the documentation's pages of commands, settings and the HTTP API from the code.
	@$(BIN)/python -m tools.commands_page
	@$(BIN)/python -m tools.settings_page
	@$(BIN)/python -m tools.api_page

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

# pip runs again only when a requirements file has changed.
$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "Expected Python 3.11 or 3.12 on the PATH; found none." \
	  "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@echo "Creating $(VENV) with $$("$(PYTHON)" --version) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created requirements.txt requirements-nodeps.txt
	@echo "Installing requirements.txt into $(VENV) (about 4 GB; minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-nodeps.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean: ## Remove caches and the sample's output; keeps .venv, your data and your bundles.
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
	rm -rf data/raw/sample data/prepared/sample data/runs/sample data/reports/sample saved_model/sample
