PYTHON ?= python3
MAKEFLAGS += --output-sync=target
# Whole runs of the reference deployment, which wait most of the time.
RUNS = tests/benchmarks tests/browser tests/e2e tests/quality

.PHONY: check lint test test-runs test-rest long bench schema requirements

check: lint test

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

test: test-runs test-rest  ## with -j2 in about two thirds of the time

test-runs:
	$(PYTHON) -m pytest $(RUNS)

test-rest:
	$(PYTHON) -m pytest tests $(RUNS:%=--ignore=%)

long:  ## takes minutes
	$(PYTHON) -m pytest -m long -s

bench:  ## speeds, as ratios against a reference in the same run
	$(PYTHON) -m pytest -m bench -s

schema:  ## after a change of the verdict's records
	$(PYTHON) -m harness.report.schema > docs/verdict.schema.json

requirements:  ## needs pip-tools; run with the Python version that CI uses
	echo "# Exact versions of everything that is tested, on CPython 3.11, with the hashes of their files. See CONTRIBUTING.md." > requirements.txt
	printf 'hatchling\neditables\n' | pip-compile --quiet --generate-hashes --no-header --no-annotate --strip-extras \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra test --output-file - pyproject.toml - >> requirements.txt
