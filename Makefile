# QuantVista. `make help` lists what there is; `make demo` and `make test` work on a bare clone.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(BIN)/uv
NPM := npm --prefix dashboard --no-update-notifier --no-fund --no-audit --loglevel=error
RUST := Cargo.toml Cargo.lock $(shell find crates -name '*.rs' -o -name Cargo.toml)
WEB := $(shell find dashboard -path dashboard/node_modules -prune -o -type f -print 2>/dev/null)
SIMULATE := PYTHONPATH=tests $(PY) -m support.lives
SEEDS := 20
COMPILE := $(UV) pip compile --generate-hashes --no-emit-index-url --no-header --universal \
	--python-version 3.12 --quiet

# The stamps say what was set up last; a changed input sets it up again.
PYTHON_STAMP := $(VENV)/.stamp-python
DEPS_STAMP := $(VENV)/.stamp-deps
NATIVE_STAMP := $(VENV)/.stamp-native
NODE_STAMP := dashboard/node_modules/.stamp
ASSETS := src/quantvista/reporting/_assets/report.js
MUTANTS := target/tools/bin/cargo-mutants
NAUTILUS := .venv-nautilus
NAUTILUS_STAMP := $(NAUTILUS)/.stamp

export PYO3_PYTHON := $(CURDIR)/$(PY)
# With compiled modules kept, a process starts in half the time; tests start many.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-live kill simulate simulate-long soak test test-full check mutants bench nautilus build wheel lock clean help

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) \
	  | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

# -- set-up ----------------------------------------------------------------------------------
$(PYTHON_STAMP): scripts/find-python requirements/uv.txt
	@python="$$(scripts/find-python)"; echo "Making $(VENV) with $$python ..."; \
	  "$$python" -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/uv.txt
	@touch $@

$(DEPS_STAMP): $(PYTHON_STAMP) requirements/dev.txt requirements/sample.txt
	@echo "Installing the locked dependencies ..."
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(PY) --require-hashes --no-deps -r requirements/sample.txt
	@touch $@

$(NATIVE_STAMP): $(DEPS_STAMP) $(RUST) pyproject.toml
	@scripts/need cargo "a Rust toolchain, 1.88 or newer (rustup.rs)"
	@echo "Building the Rust core ..."
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) scripts/quietly $(BIN)/maturin develop --release --locked --uv
	@touch $@

$(NODE_STAMP): dashboard/package-lock.json dashboard/package.json
	@scripts/need npm "Node.js 20 or newer, with npm"
	@echo "Installing the packages of the report's charts ..."
	@scripts/quietly $(NPM) ci --ignore-scripts
	@touch $@

$(ASSETS): $(NODE_STAMP) $(WEB)
	@echo "Building the report's charts ..."
	@scripts/quietly $(NPM) run build
	@touch $@

# What the engine is compared with has an environment of its own; its dependencies are not ours.
$(NAUTILUS_STAMP): $(PYTHON_STAMP) requirements/nautilus.txt
	@echo "Making $(NAUTILUS) ..."
	@$(UV) venv --quiet --clear --python $(PY) $(NAUTILUS)
	@$(UV) pip install --quiet --python $(NAUTILUS)/bin/python --require-hashes \
	  -r requirements/nautilus.txt
	@touch $@

build: $(NATIVE_STAMP) $(ASSETS) ## Set everything up: environment, Rust core, report charts

# -- work ------------------------------------------------------------------------------------
demo: build ## Run the demo fund on 32 years of real prices; writes out/demo
	@$(BIN)/qv run --demo --out out/demo

demo-live: build ## Trade a small fund on paper for a minute, with kill -9; writes out/demo-live
	@$(PY) scripts/demo_live.py --out out/demo-live

kill: build ## Kill the processes of a fund ROUNDS times (300) under load, and compare its books
	ROUNDS=$${ROUNDS:-300} $(PY) -m pytest -q -n 2 tests/integration/test_kill_rounds.py

soak: build ## Trade a day in half an hour, and fail if memory or latency grows; writes out/soak
	@$(PY) scripts/soak.py --out out/soak

test: check ## Static checks, then all tests but the slow ones
	cargo test --locked --quiet --workspace
	$(NPM) test --silent
	$(PY) -m pytest -n 2 --dist loadgroup -m "not slow"

test-full: check nautilus $(MUTANTS) ## Everything, with random tests let loose and bugs planted
	cargo test --locked --release --workspace
	$(NPM) test --silent
	ROUNDS=$${ROUNDS:-300} QV_RANDOM=1 $(PY) -m pytest -n 2 --dist loadgroup
	$(SIMULATE) --seeds 2000 --all-states
	$(PY) scripts/soak.py --out out/soak
	$(PY) scripts/mutants.py

check: build ## Formatters, linters, types and layers
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	cargo fmt --check
	cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
	$(NPM) run --silent lint
	$(NPM) run --silent typecheck

simulate: build ## Run simulated lives of a fund, SEEDS=n of them; SEED=n runs one alone
	$(SIMULATE) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

simulate-long: build ## Run 2,000 of them; every fault must meet every state of the node
	$(SIMULATE) --seeds 2000 --all-states

nautilus: $(NAUTILUS_STAMP) ## Make the environment of NautilusTrader, for `qv validate`

$(MUTANTS):
	@scripts/quietly cargo install cargo-mutants --version 27.1.0 --locked --root target/tools

mutants: build $(MUTANTS) ## Plant bugs in the engine and see whether the tests notice
	$(PY) scripts/mutants.py

bench: build ## Measure beside peers; writes out/bench.json
	$(PY) benchmarks/run.py

wheel: build ## Build a wheel into dist/
	$(BIN)/maturin build --release --locked --out dist

lock: $(DEPS_STAMP) ## Resolve the dependencies anew
	$(COMPILE) --upgrade requirements/uv.in -o requirements/uv.txt
	$(COMPILE) --upgrade pyproject.toml --extra dev -o requirements/dev.txt
	$(COMPILE) --upgrade --no-deps requirements/sample.in -o requirements/sample.txt
	$(COMPILE) --upgrade requirements/nautilus.in -o requirements/nautilus.txt

clean: ## Remove what was built or set up
	rm -rf $(VENV) $(NAUTILUS) .venv-bench target dist out dashboard/node_modules dashboard/dist
	rm -rf src/quantvista/reporting/_assets .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f src/quantvista/_native*.so
