# Everything a person or a machine does with this repository. GNU make 3.81 or newer.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check --no-input

WITH_SERVERS := env -u DATABASE_URL -u REDIS_URL -u STRIPE_SECRET_KEY \
	BURSAR_HOME=build/check $(PY) -m supervisor exec -- env

# What `check --deploy` looks at: the settings of a server, with nothing real in them; its
# database and cache are those of `supervisor exec`, since some checks look.
PRODUCTION := SECRET_KEY=for-this-check-only-and-long-enough-0123456789-abcdefghijklm \
	DEBUG=0 SECURE=1 TEST_CLOCKS=0 WEBHOOK_PRIVATE_TARGETS=0 \
	PUBLIC_URL=https://billing.example.com ALLOWED_HOSTS=billing.example.com \
	STRIPE_API_BASE=https://api.stripe.com EMAIL_URL=smtp://localhost:25 \
	STRIPE_SECRET_KEY=sk_test_00000000000000000000000000000000 \
	STRIPE_WEBHOOK_SECRET=whsec_00000000000000000000000000000000 \
	DJANGO_SETTINGS_MODULE=config.settings

# The suite starts dozens of processes, and the demonstration nine: to compile every module anew in
# each of them takes minutes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test check core openapi fuzz bench chrome lock clean venv dev

help:  ## what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: venv  ## run everything on this machine (PORT=8000, BURSAR_HOME=.bursar)
	@$(PY) -m supervisor demo

demo-reset: venv  ## forget the demo: its database, its secrets, its logs
	@$(PY) -m supervisor reset

test: dev chrome check  ## every check and every test
	$(PY) -m pytest -n auto $(ARGS)

check: dev  ## style, types, import contracts, migrations, deployment settings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(WITH_SERVERS) DJANGO_SETTINGS_MODULE=config.settings_test \
		$(PY) manage.py makemigrations --check --dry-run
	$(WITH_SERVERS) $(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

core: dev  ## the pure core's tests, in seconds and without a database
	$(PY) -m pytest -p no:django -p no:tests.servers tests/unit tests/golden $(ARGS)

openapi: dev  ## write docs/api/openapi.yaml from the code
	DJANGO_SETTINGS_MODULE=config.settings_test \
		$(PY) manage.py spectacular --validate --fail-on-warn --file docs/api/openapi.yaml

fuzz: dev  ## send the API what nobody would, by new seeds (TIMES=20 as much as the tests do)
	FUZZ_TIMES=$(or $(TIMES),20) $(PY) -m pytest -n auto tests/api/test_fuzz.py $(ARGS)

bench: venv  ## measure
	$(PY) -m bench

chrome: dev  ## the browser of the page tests
	@$(PY) -m tests.chrome

lock: $(PY)  ## write both lock files from pyproject.toml
	$(PIP) install --quiet uv
	$(PY) -m uv pip compile --universal --generate-hashes --no-emit-index-url \
		--python-version 3.11 --custom-compile-command "make lock" --quiet \
		pyproject.toml -o requirements.lock
	$(PY) -m uv pip compile --universal --generate-hashes --no-emit-index-url \
		--python-version 3.11 --custom-compile-command "make lock" --quiet \
		pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean:  ## remove everything that can be made again; the demo's home stays
	rm -rf $(VENV) build staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv: $(VENV)/.installed
dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.lock | $(PY)
	$(PIP) install --quiet --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(PY)
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

# An interrupted or outdated environment is made again from nothing.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Bursar needs Python 3.11 or newer, and '$(PYTHON)' is not. Install one" \
			"and name it: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments." \
			"On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
