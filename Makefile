# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Requires Python 3.11 or later, git and GNU make. pip installs everything else into .cache, with its own settings.

ANSIBLE_CORE := ansible-core>=2.18,<2.22
VENV := .cache/venv
BIN := $(VENV)/bin
IMPORTER := .cache/galaxy-importer
LINK := .cache/collections/ansible_collections/dragonflyoss/dragonfly
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

##@ Try it
.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: $(VENV)/run ## Preheat an image and a file in a sandbox (20 s, the first time 2 min)
	@python tests/demo

##@ Test
.PHONY: test
test: $(VENV)/run ## Run all tests except test-hosts
	@python tests/tools/stages.py unit contract faults integration,unit-oldest sanity-oldest,sanity-newest lint

.PHONY: test-unit
test-unit: $(VENV)/unit ## Unit tests, with pytest; those of TESTS=path alone
	pytest -q $(if $(TESTS),$(TESTS),-n auto tests/unit)

# The unit tests that start modules, Ansible or pip, or that measure CPU time.
SLOW := plugins/modules plugins/action plugins/inventory/test_peers.py playbooks \
    roles/test_in_check_mode.py roles/test_pull.py roles/test_servers_in_check_mode.py roles/test_state_of_files.py \
    roles/test_written_files.py roles/test_wrong_values.py test_examples.py test_guides.py test_regexes.py \
    test_release.py test_secrets.py

.PHONY: test-fast
test-fast: $(VENV)/unit ## Tests that start neither modules nor Ansible (1 min)
	pytest -q -n auto tests/unit tests/contract $(addprefix --ignore=tests/unit/,$(SLOW)) \
	    --deselect=tests/unit/plugins/filter/test_images_in.py::test_in_a_playbook

.PHONY: test-unit-oldest
test-unit-oldest: $(VENV)/run ## Unit tests on the oldest Python for modules that this machine has, with ansible-test
	python tests/tools/ansible_test.py units --core oldest --python oldest

.PHONY: test-contract
test-contract: $(VENV)/unit ## The sandbox against the recordings of real managers, with pytest
	pytest -q tests/contract

.PHONY: test-faults test-long
test-faults: $(VENV)/unit ## Fault injection against the sandbox, with pytest
	pytest -q -n auto tests/faults
test-long: $(VENV)/unit ## Fault injection with all releases, rounds and examples (30 min)
	pytest -q -n auto --long --durations=20 tests/faults

.PHONY: test-integration
test-integration: $(VENV)/run ## Playbooks against the sandbox, or the manager at DRAGONFLY_URL
	python tests/tools/ansible_test.py integration --continue-on-error

.PHONY: test-sanity test-sanity-oldest test-sanity-newest
test-sanity: $(VENV)/run ## ansible-test sanity with the oldest and the newest ansible-core that this machine can run
	@python tests/tools/stages.py sanity-oldest,sanity-newest
test-sanity-oldest test-sanity-newest: test-sanity-%: $(VENV)/run
	python tests/tools/ansible_test.py sanity --core $*

.PHONY: matrix
matrix: $(VENV)/run ## Sanity and unit tests with every ansible-core and Python, into docs/matrix.md (hours)
	python tests/tools/matrix.py

.PHONY: test-lint
test-lint: export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/collections
test-lint: $(VENV)/lint $(VENV)/unit $(LINK) ## ruff, mypy, names, language, spelling, ansible-lint, yamllint, changelog, documentation, licences
	@failed=0; for linter in \
	    "ruff format --check ." \
	    "ruff check ." \
	    "mypy" \
	    "python tests/tools/vague_names.py" \
	    "python tests/tools/language.py" \
	    "codespell" \
	    "yamllint ." \
	    "ansible-lint" \
	    "antsibull-changelog lint" \
	    "antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self ." \
	    "reuse lint --lines"; \
	  do echo "$$linter"; $$linter || failed=1; done; exit $$failed

.PHONY: test-hosts test-hosts-long
test-hosts: $(VENV)/hosts ## Roles on hosts booted with systemd-nspawn (needs root)
	tests/hosts/run
test-hosts-long: $(VENV)/hosts ## Update of two managers and two schedulers on such hosts
	tests/hosts/run rolling

.PHONY: bench
bench: $(VENV)/run ## Measure speed and memory
	python tests/bench

.PHONY: faults
faults: export PYTHONPATH := $(CURDIR)/.cache/collections
faults: $(VENV)/unit $(LINK) ## Run the whole fault matrix and write docs/faults.md
	python -m ansible_collections.dragonflyoss.dragonfly.tests.faults.matrix

.PHONY: compare-upstream
compare-upstream: export PYTHONPATH := $(CURDIR)/.cache/collections
compare-upstream: $(VENV)/run $(LINK) ## The tables of keys against the clone at CLIENT=path, all releases (5 s)
	@python -m ansible_collections.dragonflyoss.dragonfly.tests.tools.compare_upstream $(CLIENT)

.PHONY: security-tests
security-tests: export PYTHONPATH := $(CURDIR)/.cache/collections
security-tests: $(VENV)/unit $(LINK) ## Try hostile servers and all borders, and write docs/security-tests.md (40 min)
	python -m ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile_servers
	python -m ansible_collections.dragonflyoss.dragonfly.tests.faults.borders

##@ Publish
.PHONY: docs
docs: export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/collections
docs: $(VENV)/docs $(LINK) ## Build the documentation site below build/docs/html; a warning is an error
	@rm -rf build/docs && mkdir -p build/docs/rst
	antsibull-docs collection --use-current --squash-hierarchy --fail-on-error --dest-dir build/docs/rst dragonflyoss.dragonfly
	mv build/docs/rst/index.rst build/docs/rst/reference.rst
	cp docs/docsite/index.rst build/docs/rst/
	cp docs/picture/overview.svg build/docs/rst/docsite/
	sphinx-build -q -n -W --keep-going -c docs/docsite -d build/docs/doctrees build/docs/rst build/docs/html

.PHONY: picture
picture: ## Draw the picture of the README (needs Graphviz)
	python3 docs/picture/draw.py

.PHONY: build
build: $(VENV)/run ## Build the tarball
	@rm -f build/*.tar.gz
	ansible-galaxy collection build --output-path build

.PHONY: release
release: test-lint docs build $(IMPORTER)/done ## Build the tarball and check it as Galaxy will, after test-lint and docs
	python tests/tools/check_release.py $(IMPORTER)/bin/python build/dragonflyoss-dragonfly-*.tar.gz

.PHONY: clean
clean: ## Remove everything that was installed or built here
	rm -rf .ansible .cache .hypothesis build tests/output

# The virtual environment. A file named after a group of requirements marks that group as installed.
$(BIN)/python:
	@echo "Creating $(VENV)"
	@python=$$(python3 tests/tools/pythons.py) && $$python -m venv $(VENV)

$(VENV)/run: tests/integration/requirements.txt | $(BIN)/python
$(VENV)/unit: tests/unit/requirements.txt | $(VENV)/run
$(VENV)/lint: tests/tools/requirements.txt | $(VENV)/run
$(VENV)/hosts: tests/hosts/requirements.txt | $(VENV)/run
$(VENV)/docs: docs/docsite/requirements.txt | $(VENV)/run
$(VENV)/run $(VENV)/unit $(VENV)/lint $(VENV)/hosts $(VENV)/docs:
	@echo "Installing $< into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check '$(ANSIBLE_CORE)' -r $<
	@touch $@

# Ansible's tools and pytest (tests/conftest.py) import the collection of this checkout through this link.
.PHONY: link
link: $(LINK)
$(LINK):
	@mkdir -p $(@D) && ln -s ../../../.. $@

# An environment of its own, because it pins other releases of the linters.
$(IMPORTER)/done:
	@echo "Installing galaxy-importer into $(IMPORTER)"
	@python=$$(python3 tests/tools/pythons.py) && $$python -m venv $(IMPORTER)
	@$(IMPORTER)/bin/pip install --quiet --disable-pip-version-check '$(ANSIBLE_CORE)' galaxy-importer
	@touch $@
