# The commands of the project. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help run test test-all clients check hooks format bench bench-profile prices schema sdk reference docs docs-serve blocks lock clean

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

help: ## List the commands
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: $(VENV)/.server ## Set everything up and serve on http://localhost:8000 (SQLite)
	$(BIN)/openintent-server $(ARGS)

test: $(VENV)/.dev ## Set everything up and run the quick tests (a few minutes)
	$(BIN)/python -m tests $(ARGS)

test-all: $(VENV)/.dev ## Run all tests: both databases, browser, wheels, other languages, crashes (a quarter of an hour)
	-@$(BIN)/python -m tests.clients.packages
	$(BIN)/python -m tests --all $(ARGS)

clients: $(VENV)/.dev ## Install what the tests of generated clients need (npm)
	$(BIN)/python -m tests.clients.packages

check: $(VENV)/.dev ## Check format, lint, types, imports, migrations, OpenAPI, rules, commit messages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(VENV)/openapi.yaml
	diff -u openapi.yaml $(VENV)/openapi.yaml
	$(BIN)/python -m tests.rules
	$(BIN)/python -m tests.conventions --figures
	$(BIN)/python -m scripts.sdk --check
	$(BIN)/python -m scripts.reference --check
	$(BIN)/python -m tests.verification --check
	$(BIN)/python scripts/commit_messages.py

hooks: ## Install the git hook that checks commit messages
	$(PYTHON) scripts/commit_messages.py --install

format: $(VENV)/.dev ## Format the code and apply what the linter can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

prices: $(VENV)/.dev ## Show the adapters' price list, and the models of the installed packages that it lacks
	$(BIN)/python -m scripts.prices

schema: $(VENV)/.dev ## Generate openapi.yaml
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file openapi.yaml

sdk: $(VENV)/.dev ## Generate the SDK's enums and asynchronous resources
	$(BIN)/python -m scripts.sdk

reference: $(VENV)/.dev ## Generate the pages in docs/reference from openapi.yaml and the code
	$(BIN)/python -m scripts.reference

bench: $(VENV)/.dev ## Measure, and write docs/performance.md (takes minutes)
	$(BIN)/python -m benchmarks $(ARGS)

bench-profile: $(VENV)/.dev ## Show the share of each layer in OPERATION="update state"
	$(BIN)/python -m benchmarks profile "$(or $(OPERATION),update state)" $(ARGS)

docs: $(VENV)/.dev ## Build the documentation into site/; a broken link is an error
	$(MKDOCS) build --strict

docs-serve: $(VENV)/.dev ## Serve the documentation on http://localhost:8001, rebuilt as it changes
	$(MKDOCS) serve --dev-addr localhost:8001

MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs

blocks: $(VENV)/.dev ## List the code blocks of the documents, and how each is tested
	$(BIN)/python -m tests.docs

lock: $(VENV)/.dev ## Pin the newest versions that pyproject.toml allows, with hashes
	$(BIN)/uv pip compile $(LOCK) --extra server --extra async --extra redis --extra mcp -o requirements/server.txt
	$(BIN)/uv pip compile $(LOCK) --extra dev -c requirements/server.txt -o requirements/dev.txt

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--no-emit-find-links --group build pyproject.toml

clean: ## Remove the virtual environment and what tools left behind
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist site

# The locks list everything to install: a resolver would find newer releases, and refuse them for lack of a hash.
INSTALL := $(BIN)/pip install --disable-pip-version-check --no-deps

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "OpenIntent needs Python 3.11 or newer, and there is no $(PYTHON) here. Choose one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("OpenIntent needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Choose one: make PYTHON=python3.12 …") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) comes without venv or pip. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -f $(VENV)/bin/python; exit 1; }

$(VENV)/.server: requirements/server.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing the server into $(VENV): about half a minute, once."
	@$(INSTALL) --require-hashes -r requirements/server.txt
	@$(INSTALL) --quiet --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.server
	@echo "Installing what tests and tools need into $(VENV): about two minutes, once."
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@
