# Spaces: `make run` tries it out, `make test` checks everything. CONTRIBUTING.md says more.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
BROWSER := $(firstword $(foreach name,chromium chromium-browser google-chrome google-chrome-stable,$(shell command -v $(name))))
FIREFOX := $(shell command -v firefox-esr)
NGINX := $(shell PATH="$$PATH:/usr/sbin" command -v nginx)
COTURN := $(shell command -v turnserver)
IP := $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v ip)
SYSTEMD := $(wildcard /lib/systemd/systemd)
NFT := $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v nft)
ROOT := $(filter 0,$(shell id -u))
MISSING := $(strip $(if $(BROWSER),,chromium) $(if $(FIREFOX),,firefox-esr) $(if $(NGINX),,nginx-light) \
	$(if $(COTURN),,coturn) $(if $(IP),,iproute2) $(if $(NFT),,nftables) $(if $(SYSTEMD),,systemd))
WANTED := $(strip $(if $(MISSING),Debian's $(MISSING)) $(if $(ROOT),,the rights of root for a network of their own))
# Markers of tests (pyproject.toml) that this machine cannot run.
NOT_RUN := $(strip $(if $(BROWSER),,browser) $(if $(FIREFOX),,needs_firefox) $(if $(NGINX),,needs_nginx) \
	$(if $(COTURN),,needs_coturn) $(if $(NFT),,needs_nft) $(if $(and $(IP),$(ROOT)),,needs_network) \
	$(if $(SYSTEMD),,needs_systemd))
CAN_RUN := $(foreach marker,$(NOT_RUN), and not $(marker))
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
PIP_COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
MAKE_MESSAGES := $(BIN)/python manage.py makemessages --locale de --no-location --no-wrap --no-obsolete --ignore 'tests/*' \
	--ignore 'var/*'
CODE := accounts rooms recordings moderation spaces_project bench tests manage.py
PYTEST := $(BIN)/python -m pytest --quiet
BESIDE := .pytest_cache/beside.log

.NOTPARALLEL:
.PHONY: run install test lint types units serial proof bench lock audit sbom texts speech format clean

run: .venv/run.stamp  ## a demonstration on this machine: installs, starts everything, prints address and log-ins
	$(BIN)/python manage.py runspaces --demo

install: .venv/run.stamp  ## only the locked requirements, into .venv

test: lint  ## every check; under 8 minutes on 2 cores: what needs no clock runs in the pauses of what does
	@mkdir -p $(dir $(BESIDE))
	@nice -n 19 $(MAKE) --no-print-directory --keep-going types units >$(BESIDE) 2>&1 & beside=$$!; \
	trap "kill $$beside; wait; exit 130" INT TERM; \
	$(MAKE) --no-print-directory serial; serial=$$?; \
	echo "Beside that, types and units:"; \
	wait $$beside; beside=$$?; \
	cat $(BESIDE); \
	test $$beside -eq 0 || echo "make types units FAILED, see above."; \
	test $$serial -eq 0 || echo "make serial FAILED, see above."; \
	exit $$((serial + beside))

lint: .venv/test.stamp
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/python -m tests.rig.columns

types: .venv/test.stamp
	$(BIN)/mypy $(CODE)

units: .venv/test.stamp  ## what can run beside other tests
	$(PYTEST) -n 3 -m "not proof and not alone" --ignore=tests/browser

serial: .venv/test.stamp  ## what listens in real time or measures time, one after the other: Chromium, the supervisor, nginx, coturn
	@test -z "$(NOT_RUN)" || test -z "$$CI" || { echo "Missing: $(WANTED). Under CI that is a failure."; exit 1; }
	$(PYTEST) --durations=20 -m "not proof and (alone or browser)$(CAN_RUN)"
	@test -z "$(NOT_RUN)" || printf '\n%s\n' "DID NOT RUN: tests marked $(NOT_RUN). This machine lacks $(WANTED)."
	@test -z "$(MISSING)" || echo "To run them: apt-get install $(MISSING) (as root), then: make serial"

proof: .venv/test.stamp  ## the long counts; one part alone: make proof ARGS="-k postgres"
	@test -z "$(NOT_RUN)" || test -z "$$CI" || { echo "Missing: $(WANTED). Under CI that is a failure."; exit 1; }
	$(PYTEST) -m "proof$(CAN_RUN)" $(ARGS)
	@test -z "$(NOT_RUN)" || echo "DID NOT RUN: tests marked $(NOT_RUN). This machine lacks $(WANTED)."

bench: .venv/test.stamp  ## every benchmark, one JSON line per figure
	$(BIN)/python -m bench

lock: .venv/test.stamp  ## write requirements*.txt from requirements*.in; with ARGS=--upgrade to newer versions
	$(PIP_COMPILE) $(ARGS) -o requirements.txt requirements.in
	$(PIP_COMPILE) $(ARGS) -o requirements-dev.txt requirements-dev.in

audit: .venv/test.stamp  ## known vulnerabilities of the locked versions; says what the registry did not answer
	$(BIN)/python -m tests.rig.audit

sbom: .venv/test.stamp  ## write var/sbom.json from requirements.txt: CycloneDX 1.6
	@mkdir -p var
	$(BIN)/cyclonedx-py requirements --output-reproducible --of JSON -o var/sbom.json requirements.txt

texts: .venv/test.stamp  ## after changing texts: collect them into locale/, compile it; needs gettext (apt-get install gettext)
	$(MAKE_MESSAGES) -d django
	$(MAKE_MESSAGES) -d djangojs
	sed -i '/^"POT-Creation-Date/d' locale/de/LC_MESSAGES/*.po
	for po in $$(find locale -name '*.po'); do msgfmt --check-format -o $${po%.po}.mo $$po || exit 1; done

speech: .venv/test.stamp  ## after changing what the demonstration says: speak it again; needs espeak-ng (apt-get install espeak-ng)
	$(BIN)/python -m spaces_project.demo.speech.make

format: .venv/test.stamp
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

clean:  ## remove what was installed and cached; var/ with the data stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: apt-get install python3.11 python3.11-venv"; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "Python 3.11 or newer is needed; $(PYTHON) is older."; exit 1; }
	@$(PYTHON) -c "import ensurepip" 2>/dev/null || { echo "Python's venv is needed: apt-get install python3.11-venv"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/test.stamp: requirements-dev.txt requirements.txt | .venv/bin/python
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@ .venv/run.stamp
