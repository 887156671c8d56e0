# Two commands matter: `make demo` and `make test`. Both make .venv themselves; nothing else is needed beside git and make.

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin

# what is tested by itself may have nothing in one of the two halves: pytest ends with 5 then
tests = $(BIN)/pytest $(1) $(ARGS) || [ $$? = 5 ]

.PHONY: demo test soak mutants clean lock

demo: .venv/stamp
	@$(BIN)/interdesk demo $(if $(ONCE),--once)

test: .venv/stamp
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(call tests,-m 'not servers' --numprocesses $(or $(PROCESSES),auto))
	$(call tests,-m servers)

soak: .venv/stamp
	tests/soak.sh

# Minutes, not seconds: which small changes to the pure decisions no test notices (tests/mutation.md).
mutants: .venv/stamp
	rm -rf mutants
	$(BIN)/mutmut run $(ARGS)
	@$(BIN)/python tests/mutation.py

.venv/stamp: requirements.lock pyproject.toml
	@$(or $(PYTHON),false) -c '$(NEW_ENOUGH)' 2>/dev/null || \
	  { echo 'Python 3.11 or newer is missing: apt-get install python3 python3-venv'; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo 'python3-venv is missing: apt-get install python3-venv'; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo 'Setting up .venv ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

lock: .venv/stamp
	$(BIN)/pip-compile --quiet --all-extras --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	  --output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv var dist build mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
