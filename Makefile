# Two commands matter: `make demo` and `make test`. Everything they need is set up on the way, once.
#
# PYTHON=python3.12         the interpreter that .venv is made with (3.11 or newer)
# LOCKSTEP_OPT=-O1          compiles in half the time, for work on hot modules
# LOCKSTEP_DATA=<folder>    recorded data for the tests and benchmarks that need it (default ../shared/data)
# ARGS="-k ledger"          handed on by `make test` (pytest), `make bench` and `make profile`
# SEEDS=1-440 STEPS=2000     which runs `make faults` makes of the fault simulator, and how long each is
# COVER="--ignore=tests/x"  what `make cover` leaves out besides slow tests
# PARALLEL=                 tests one after another, as --pdb needs (by default a process for each processor)

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
PARALLEL ?= -n auto --dist loadfile
HOT    := $(shell find src -name '*.pxd' 2>/dev/null)
HOT    += $(wildcard $(HOT:.pxd=.py))

export PIP_ROOT_USER_ACTION = ignore

.DEFAULT_GOAL := help
.PHONY: help setup build demo test pure faults mutants bench profile lint format docs cover wheel clean
.SILENT:

help: ## say what there is
	grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

# Installed again when the list of dependencies changes. The package itself stays where it is (editable) and is compiled by
# the next rule, so that nothing is compiled twice.
$(VENV)/.installed: pyproject.toml tools/check_machine.py tools/requirements.py
	$(PYTHON) tools/check_machine.py
	echo "setting up $(VENV) (once; a minute or two)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python tools/requirements.py dev docs > $(VENV)/requirements.txt
	$(PIP) install --requirement $(VENV)/requirements.txt
	LOCKSTEP_NO_COMPILE=1 $(PIP) install --no-build-isolation --no-deps --editable .
	touch $@

# Compiled again when a hot module (a .py with a .pxd) or any .pxd changes: a stale .so would win over the edited .py.
$(VENV)/.built: $(VENV)/.installed setup.py $(HOT)
	echo "compiling the hot modules"
	$(BIN)/python setup.py --quiet build_ext --inplace
	touch $@

setup: $(VENV)/.built ## make .venv with everything in it, and compile

build: $(VENV)/.built ## compile what changed

demo: setup ## backtest on recorded prices that ship with the package, and write report.html
	$(BIN)/lockstep demo

test: setup ## the whole suite, compiled
	LOCKSTEP_EXPECT_COMPILED=1 $(BIN)/python -m pytest $(PARALLEL) $(ARGS)

pure: setup ## the tests of what is compiled, uncompiled (a minute)
	LOCKSTEP_PURE=1 $(BIN)/python -m pytest -q $(PARALLEL) -m 'not slow and not compiled' tests/property $(addprefix tests/unit/,book engine features model orders portfolio risk sim strategy)

cover: setup ## coverage, measured in pure mode; fails under 85 %
	rm -f .coverage .coverage.*
	LOCKSTEP_PURE=1 $(BIN)/python -m pytest -q $(PARALLEL) -m 'not slow and not compiled' $(COVER) --cov --cov-report=term-missing

faults: setup ## the fault simulator; the last line is JSON (SEEDS=3,8-12 STEPS=2000)
	PYTHONPATH=tests/support $(BIN)/python tests/faults/simulate.py $(if $(SEEDS),--seeds $(SEEDS)) $(if $(STEPS),--steps $(STEPS))

bench: setup ## the figures: a table, and benchmarks/latest.json
	$(BIN)/python -m benchmarks.bench $(ARGS)

mutants: setup ## a fault put into orders, risk and journal, one at a time: do the checks notice? (long; ARGS="--only risk")
	$(BIN)/python tools/mutation_check.py $(ARGS)

profile: setup ## where a backtest spends time and memory, by function, line and allocation (ARGS=trades_ema)
	$(BIN)/python tools/profile_run.py $(ARGS)

lint: setup ## style, types, the import contract, the tidy checker
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet || { $(BIN)/ruff format --diff --quiet; echo "not formatted: run make format"; exit 1; }
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo > $(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }
	$(BIN)/python tools/tidy.py
	echo "lint: clean"

format: setup ## let the formatter and the safe fixes have their way
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format --quiet

docs: setup ## the documentation site, in site/; any warning is an error
	$(BIN)/zensical build --clean --strict

wheel: setup ## a wheel of this tree, in dist/
	$(PIP) wheel . --no-deps --no-build-isolation --wheel-dir dist

clean: ## back to a plain clone
	rm -rf $(VENV) build dist site htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .cache
	find src -name '*.so' -delete
	find src -name '*.egg-info' -prune -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -f src/lockstep/_build_hashes.json
