# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The summary of tests/hosts/run for a failed scenario."""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.tests.hosts.failures import LONGEST, failed_task

RESCUED = """
TASK [Run a role that is expected to fail] *****
fatal: [h1]: FAILED! => {"msg": "expected"}

TASK [Expect the error message] *****
ok: [h1]
"""
FAILED = """
TASK [Start the daemon] *****
[ERROR]: Task failed: it did not start
fatal: [h1]: FAILED! => {"msg": "it did not start"}
"""
AFTERWARDS = """
TASK [Clean up] *****
ok: [h1]

PLAY RECAP *****
h1 : ok=1 failed=1

PLAY [Collect the logs of the hosts] *****

PLAY RECAP *****
ERROR    Ansible return code was 2, command was: ansible-playbook verify.yml
"""


def test_the_task_that_ended_the_scenario_is_shown() -> None:
    assert failed_task(RESCUED + FAILED + AFTERWARDS) == FAILED.strip()


def test_the_items_of_a_loop_are_shown() -> None:
    items = "\nTASK [Expect that a host read each blob once] *****\nok: [h2] => (item=1)\nfailed: [h2] (item=2) => {}\n"
    assert failed_task(RESCUED + items + AFTERWARDS) == items.strip()


def test_without_a_failed_task_the_last_lines_are_shown() -> None:
    output = "x" * LONGEST + "\nCRITICAL Idempotence test failed because of the following tasks:\n"
    shown = failed_task(output)
    assert shown.endswith("following tasks:")
    assert len(shown) == LONGEST
