# Run `make help` to see what there is.
PYTHON ?= python3
STACK = $(PYTHON) -m devstack.bootstrap

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test test-full lint format bench shell python

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: python ## Run the portal with demo data on http://127.0.0.1:8000/ (PORT=8123 for another port)
	@$(STACK) demo

demo-reset: python ## Delete the demo's data
	@$(STACK) demo-reset

test: python ## Run the tests (T="tests/orgs -k invite" for some of them)
	@$(STACK) test $(T)

test-full: python ## Run the tests with those that are slow by nature
	@$(STACK) test-full $(T)

lint: python ## Check style, types, imports, templates, settings, migrations and the lock
	@$(STACK) lint

format: python ## Format Python and mend what ruff can mend
	@$(STACK) format

bench: python ## Measure the pages: statements, times and sizes (T=flood, T=djstripe: bench/README.md)
	@$(STACK) bench $(T)

shell: python ## Open a Django shell on the demo's data
	@$(STACK) shell

python:
	@command -v "$(PYTHON)" >/dev/null || \
		{ echo 'There is no $(PYTHON): install Python 3.11 or later, or name it, as in `make demo PYTHON=/path/to/python3`.' >&2; exit 1; }
