# Everything that is done with this project from a shell. `make` alone lists it.
# Set up happens by itself, in .venv, and only again when what it depends on changed.

PYTHON ?= python3
VENV ?= .venv
# Four more than there are cores: many tests wait for a process.
PYTEST_ARGS ?= -n $(shell expr $$(nproc) + 4) --dist loadgroup
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 2400
PODMAN ?= podman
IMAGE_ARGS ?=
IMAGE = docker.io/library/promsnmp:$(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' src/promsnmp/__init__.py)
BARE_ARGS ?=

BIN := $(VENV)/bin
STEP := scripts/step
# Exact versions, and only files whose hashes are in requirements/.
LOCKED := $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes
# uv trusts the system's certificate authorities, as pip does; SSL_CERT_FILE and PIP_INDEX_URL apply to both.
export UV_SYSTEM_CERTS ?= true
ifneq ($(SSL_CERT_FILE),)
export PIP_CERT ?= $(SSL_CERT_FILE)
endif
ifneq ($(PIP_INDEX_URL),)
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
# Tests start hundreds of processes: each would compile all that it imports, where the environment forbids to keep it.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test bare programs conformance lint format bench fuzz soak wheel deb deb-test setup compile lock docs docs-site screenshots copies image clean distclean

help: ## List what can be made
	@echo "PromSNMP: SNMP devices into Prometheus"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime compile ## Start simulated devices and PromSNMP on port 8080 (SERVER_PORT), until Ctrl-C
	@exec $(BIN)/promsnmp demo

test: ## Lint, then run every test (PYTEST_ARGS='-k walk' for some)
	@$(STEP) "Installing the Debian packages that the tests use" env PYTHON=$(PYTHON) scripts/debian-packages test
	@$(MAKE) --no-print-directory setup
	@$(MAKE) --no-print-directory -j2 programs $(VENV)/.collected
	@mkdir -p build; $(STEP) "Checking style, types and imports" $(MAKE) --no-print-directory lint > build/lint.log 2>&1 & lint=$$!; \
	$(STEP) "Running the tests, and make lint beside them" $(BIN)/python -m pytest $(PYTEST_ARGS); tests=$$?; \
	wait $$lint; lint=$$?; cat build/lint.log; \
	exit $$((tests ? tests : lint))

# Once, and not in each of the workers at the same time: bytecode of the tests and of all that they import.
$(VENV)/.collected: $(VENV)/.dev | compile
	@$(STEP) "Compiling the tests" sh -c '$(BIN)/python -m pytest -n 0 --collect-only -q > /dev/null 2>&1 || true' && touch $@

programs: $(VENV)/.dev
	@$(STEP) "Fetching kubectl" $(BIN)/python -m scripts.programs.kubectl || true
	@$(STEP) "Fetching Helm 4" $(BIN)/python -m scripts.programs.helm4 || true
	@$(STEP) "Fetching snmp_exporter" $(BIN)/python -m scripts.programs.exporter || true
	@$(STEP) "Fetching its generator" $(BIN)/python -m scripts.programs.exporter generator || true
	@$(STEP) "Fetching Prometheus 3" $(BIN)/python -m scripts.programs.prometheus || true

bare: ## Both README commands, and the tutorial, in bare Debian systems, as root (BARE_ARGS='--only debian12 --command test')
	@PYTHON=$(PYTHON) scripts/debian-packages bare
	@$(PYTHON) -m scripts.bare $(BARE_ARGS)

conformance: setup ## Compare with snmp_exporter (CONFORMANCE_ARGS='--cases 20000 --seed 7')
	@$(BIN)/python -m tests.conformance $(CONFORMANCE_ARGS)

lint: $(VENV)/.dev ## Style, types, which package may import which, and English
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && PYTHONPATH=src $(BIN)/lint-imports --no-logo && $(BIN)/python -m scripts.prose

format: $(VENV)/.dev ## Format the code, mend what ruff can mend
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

bench: setup ## Measure; the figures and their meaning are in bench/README.md
	@$(BIN)/python -m bench

fuzz: setup $(VENV)/.fuzz ## Feed the decoder malformed datagrams for FUZZ_SECONDS (60), compiled and uncompiled
	@$(BIN)/python -m tests.fuzz -max_total_time=$(FUZZ_SECONDS)

soak: setup ## Fail replicas, Redis, API server, network and volume in every way, with true times, for SOAK_SECONDS (2400)
	@$(BIN)/python -m tests.failures --seconds $(SOAK_SECONDS) $(SOAK_ARGS)

wheel: $(VENV)/.dev ## Build the wheel and the source archive into dist/
	@rm -rf build/lib* build/bdist* dist && $(BIN)/python -m build --installer uv . && ls -l dist

deb: $(VENV)/.dev ## Build the Debian package into dist/ (DEB_ARGS='--python /usr/bin/python3')
	@PYTHONPATH=src $(BIN)/python -m scripts.deb $(DEB_ARGS)

deb-test: ## Install the package of dist/ in a bare Debian without network and run it, as root (two minutes)
	@PYTHONPATH=src $(BIN)/python -m scripts.deb_install dist/promsnmp_*.deb

lock: $(VENV)/.uv ## Write requirements/ again (LOCK_ARGS=--upgrade: the newest versions)
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m scripts.lock $(LOCK_ARGS)

docs: $(VENV)/.dev ## Write what is generated in docs/ again
	@PYTHONPATH=src $(BIN)/python scripts/pages/configuration.py && $(BIN)/python -m scripts.pages.config_schema && $(BIN)/python -m scripts.pages.cli_reference && $(BIN)/python -m scripts.pages.health_coverage && $(BIN)/python -m scripts.pages.chart_readme

docs-site: $(VENV)/.docs ## Build the documentation as a site into site/, and check its links
	@$(BIN)/zensical build --strict

screenshots: $(VENV)/.dev compile ## Take the pictures in docs/images again, of the demo and a real Prometheus (four minutes)
	@$(STEP) "Installing the Debian packages that the pictures need" env PYTHON=$(PYTHON) scripts/debian-packages screenshots
	@$(BIN)/python -m scripts.screenshots

image: ## Build the images promsnmp:VERSION and, without a shell, promsnmp:VERSION-distroless (IMAGE_ARGS='--build-arg ...')
	@$(PODMAN) build --format docker -f deploy/image/Containerfile $(IMAGE_ARGS) -t $(IMAGE) .
	@$(PODMAN) build --format docker -f deploy/image/Containerfile $(IMAGE_ARGS) --target distroless -t $(IMAGE)-distroless .

copies: $(VENV)/.runtime ## Write the copies in deploy/ of alerts and dashboards again
	@$(BIN)/python -m scripts.copies

setup: $(VENV)/.dev compile ## Prepare .venv for development (the others do it by themselves)

compile: $(VENV)/.runtime
	@$(BIN)/python scripts/compiled.py

$(VENV)/.uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "PromSNMP needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(STEP) "Making $(VENV) with $$($(PYTHON) --version)" $(PYTHON) -m venv $(VENV) || \
	{ echo "No venv: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@$(STEP) "Installing uv" $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt && touch $@

$(VENV)/.runtime: pyproject.toml setup.py requirements/image.txt requirements/build.txt | $(VENV)/.uv
	@$(STEP) "Installing what PromSNMP runs on" $(LOCKED) -r requirements/image.txt -r requirements/build.txt
	@PROMSNMP_NO_COMPILE=1 $(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e . && touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@$(STEP) "Installing what its development takes" $(LOCKED) -r requirements/dev.txt && touch $@

$(VENV)/.fuzz: $(VENV)/.uv requirements/fuzz.txt
	@$(STEP) "Installing the fuzzer" $(LOCKED) -r requirements/fuzz.txt && touch $@

$(VENV)/.docs: $(VENV)/.uv requirements/docs.txt
	@$(STEP) "Installing what builds the site" $(LOCKED) -r requirements/docs.txt && touch $@

clean: ## Remove what was built; .venv stays
	@$(PYTHON) scripts/compiled.py --clean
	@rm -rf build dist site src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .import_linter_cache
	@find src tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean ## Remove .venv too
	@rm -rf $(VENV)
