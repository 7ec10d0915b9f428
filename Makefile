# Two commands do everything on a machine with Python >= 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests start hundreds of programs: each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint bench peers screenshots chaos test-scenarios clean

demo: $(VENV)/app
	$(BIN)/spottui demo

test: $(VENV)/dev
	$(BIN)/python -m pytest -n 6 --dist worksteal

lint: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev peers
	$(BIN)/python -m tests.bench

# What is measured beside ours, from PyPI, each in an environment of its own.
peers:
	for peer in toolong==1.5.0 harlequin==2.17.0 posting==2.11.1; do \
		home=.venv-peers/$${peer%%==*}; \
		test -x $$home/bin/pip || { $(PYTHON) -m venv $$home && $$home/bin/pip install -q $$peer 'tree-sitter<0.26'; }; \
	done

chaos: $(VENV)/dev
	$(BIN)/python -m tests.chaos

test-scenarios: $(VENV)/dev
	$(BIN)/python -m tests.scenarios

screenshots: $(VENV)/dev
	$(BIN)/python -m tests.screenshots

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/app: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[test,bench]'
	touch $@ $(VENV)/app

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
