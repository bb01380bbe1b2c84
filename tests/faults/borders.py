# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The borders of the collection, and the tests of each.

    python -m ansible_collections.dragonflyoss.dragonfly.tests.faults.borders

runs these tests and writes their part of docs/security-tests.md.
"""

from __future__ import annotations

import sys
import typing as t
from collections import Counter
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = CHECKOUT / "docs" / "security-tests.md"
HEADING = "## What crosses a border"
_UTILS, _MODULES = "unit/plugins/module_utils", "unit/plugins/modules"


class Border(t.NamedTuple):
    """An attack, its effect, and the tests of it: files below ``tests``, each with names of tests."""

    subject: str
    outcome: str
    tests: dict[str, str]

    @property
    def nodes(self) -> list[str]:
        """Return the tests as pytest names them, or the whole file if there are no names."""
        return [
            f"tests/{file}.py" + (f"::{name}" if name else "")
            for file, names in self.tests.items()
            for name in names.split() or [""]
        ]


BORDERS = (
    Border(
        "Line breaks, NUL and other controls in images, tags, headers, names, URLs and tokens",
        "The task fails with `bad_input` before a request is sent. Tokens that contain one are not sent.",
        {
            f"{_MODULES}/test_control_characters": "",
            f"{_UTILS}/test_registry": "test_tokens_that_cannot_be_sent",
            f"{_UTILS}/test_registry_auth": "test_tokens_that_are_not_sent",
        },
    ),
    Border(
        "Sequences of a terminal in messages, results and progress lines",
        "They appear as text, such as `\\x1b[31m`.",
        {
            "faults/test_terminals": "",
            f"{_UTILS}/test_progress": "test_no_line_moves_the_cursor",
            f"{_UTILS}/test_redact": "test_what_a_terminal_obeys_is_shown_as_text "
            "test_controls_that_json_does_not_escape_are_escaped_in_results",
        },
    ),
    Border(
        "Host names and addresses of peers that are sequences, options of a program or addresses of the controller",
        "The inventory plugin leaves the peer out and warns.",
        {
            "unit/plugins/inventory/test_host_problem": "",
            "unit/plugins/inventory/test_peers": "TestOneRelease::test_peers_that_are_no_hosts_are_left_out",
        },
    ),
    Border(
        "Templates in responses of managers and in files of hosts",
        "Nothing evaluates them.",
        {
            "faults/test_templates": "",
            "unit/plugins/inventory/test_peers": "TestOneRelease::test_what_a_peer_says_is_no_template",
        },
    ),
    Border(
        "`../` in digests, names and URLs of registries",
        "The task fails; nothing is requested from the path.",
        {
            f"{_UTILS}/test_image": "test_bases_that_cannot_be_used test_parse_image_refuses",
            f"{_UTILS}/test_manifest": "test_manifests_that_are_none",
            f"{_UTILS}/test_registry": "test_content_that_is_not_what_it_claims_to_be",
        },
    ),
    Border(
        "Duplicate keys, NaN, huge numbers and booleans as IDs",
        "The task fails with `garbled` or `bad_manifest`.",
        {
            f"{_UTILS}/test_json": "test_numbers_that_nobody_writes test_json_that_is_not_read",
            f"{_UTILS}/test_client": "test_answers_that_are_no_job test_rows_that_are_none",
        },
    ),
    Border(
        "An index that contains itself, or is nested; 100,000 layers",
        "Each index is read once, and only one level of nesting is followed; a manifest is read within its limit.",
        {
            f"{_UTILS}/test_registry": "test_an_index_that_contains_itself test_indexes_within_indexes "
            "test_an_index_of_very_many_manifests",
            f"{_UTILS}/test_manifest": "test_a_manifest_of_100000_layers",
        },
    ),
    Border(
        "A manifest that does not match the digest in the reference, the index or the header",
        "The task fails with `digest_mismatch` and both values.",
        {
            f"{_UTILS}/test_registry": "test_content_that_is_not_what_it_claims_to_be "
            "test_a_manifest_that_is_not_what_the_index_says",
            f"{_MODULES}/test_preheat": "test_a_registry_that_lies",
        },
    ),
    Border(
        "Redirects to other hosts and from HTTPS to HTTP",
        "Redirects of a manager are not followed. Those of a registry are, without credentials, never to HTTP.",
        {
            f"{_UTILS}/test_http": "test_redirects_are_not_followed",
            f"{_UTILS}/test_registry": "test_redirects_to_elsewhere_lose_the_credentials "
            "test_redirects_that_are_not_followed",
            "faults/test_tls_and_leaks": "test_no_redirect_takes_the_token_elsewhere "
            "test_a_registrys_redirect_to_another_host_takes_no_password_along "
            "test_no_redirect_of_a_registry_leads_from_https_to_http",
        },
    ),
    Border(
        "Token services on other hosts, on loopback, link-local and metadata addresses",
        "Credentials go to the token service that the registry may name; other realms are refused.",
        {
            f"{_UTILS}/test_registry_auth": "test_places_that_a_registry_must_not_name test_realms_that_are_refused",
            f"{_UTILS}/test_registry": "test_a_header_of_the_user_does_not_go_to_a_token_service_elsewhere "
            "test_a_token_of_one_registry_does_not_go_to_another test_a_registry_outside_must_not_name_loopback",
        },
    ),
    Border(
        "TLS, proxies of the environment, and `.netrc`",
        "Certificates are verified as the options say. Only the manager receives its token.",
        {"faults/test_tls_and_leaks": ""},
    ),
    Border(
        "`Set-Cookie`",
        "No cookie is sent back.",
        {f"{_UTILS}/test_http": "test_cookies_are_not_sent_back"},
    ),
    Border(
        "HTTP/1.0, responses without length, and a connection that is closed between requests",
        "Responses are read up to their limit. A stale connection is not used, and no POST is sent twice.",
        {
            f"{_UTILS}/test_http": "test_an_answer_that_is_too_large test_a_connection_is_used_again "
            "test_a_connection_that_was_closed_meanwhile_is_not_used_and_a_post_is_not_sent_twice",
        },
    ),
    Border(
        "Rows that move between pages while a list is read",
        "No row is returned twice, and none that stays is missed.",
        {f"{_UTILS}/test_client": "test_rows_that_move_between_pages"},
    ),
    Border(
        "A progress file that is a link, a directory, a pipe, a socket, or on a full disk; names of temporary files",
        "No link is followed, nothing blocks, and the preheat continues. Temporary files are removed.",
        {
            f"{_UTILS}/test_progress": "",
            "unit/plugins/action/test_preheat": "test_files_of_its_own_are_removed "
            "test_a_file_that_vanishes_does_no_harm",
        },
    ),
    Border(
        "Modes of the files that roles write, and of their backups",
        "Files with secrets are readable by root, or by root and the daemon; backups by root.",
        {
            "unit/roles/test_written_files": "test_every_file_has_an_owner_and_a_mode "
            "test_who_reads_the_files_of_a_daemon",
        },
    ),
    Border(
        "Quotation marks, line breaks, `%`, templates and characters beyond the basic plane in variables of roles",
        "YAML and TOML hold the same value. Settings that systemd would misread are refused.",
        {
            "unit/roles/test_written_files": "test_hosts_toml test_the_base_of_dfdaemon test_the_base_of_dfget "
            "test_the_base_of_the_manager test_the_base_of_the_scheduler test_dynconfig "
            "test_the_configuration_of_a_client test_a_drop_in test_a_header_that_no_client_sends "
            "test_settings_that_systemd_would_not_read_as_written_are_refused",
        },
    ),
    Border(
        "Secrets in `-vvvv`, `--diff`, results of asynchronous tasks, facts, the log and the process list",
        "There are none.",
        {
            "faults/test_secret_places": "",
            "unit/test_secrets": "",
            "unit/roles/test_in_check_mode": "test_a_difference_shows_no_secret "
            "test_a_difference_of_mirrors_shows_no_secret",
        },
    ),
    Border(
        "Ctrl-C, SIGTERM and SIGKILL in each phase, then a second run",
        "The second run waits for the job of the first. No file is left.",
        {"faults/test_kills": ""},
    ),
    Border(
        "Two and twenty controllers at once on one image; many images in one task",
        "No task fails. Each reports the jobs that it created; a second run creates none.",
        {
            "faults/test_controllers": "",
            "faults/test_many": "test_many_images",
        },
    ),
    Border(
        "64 open files, no HOME, a read-only HOME, locale C, a missing TMPDIR",
        "The task returns the same result as elsewhere.",
        {"faults/test_many": "test_poor_surroundings"},
    ),
    Border(
        "A manager behind a path prefix; IPv6 literals as manager and registry",
        "Requests reach them.",
        {
            "faults/test_addresses": "",
            f"{_UTILS}/test_client": "test_urls test_urls_that_are_none",
        },
    ),
    Border(
        "Responses that are changed at random, anywhere",
        "No traceback.",
        {"faults/test_hostile": "", "faults/test_hostile_files": ""},
    ),
    Border(
        "A MySQL, PostgreSQL or Redis that is slow or endless, that requests a file, or that uses another protocol",
        "The check ends in time, within the limit of memory, with `database_unreachable` or `redis_not_redis`.",
        {
            f"{_MODULES}/test_hostile_databases": "",
            f"{_MODULES}/test_database_info": "test_what_redis_answers test_a_redis_whose_response_does_not_end "
            "test_a_sentinel_that_names_no_primary test_a_sentinel_that_names_a_host_that_is_none",
        },
    ),
    Border(
        "Archives with `../` or links that leave their directory; packages with another checksum",
        "Nothing on the host changes.",
        {
            "unit/plugins/plugin_utils/test_daemon_facts": "test_archives",
            "unit/roles/test_in_check_mode": "test_an_archive_that_leaves_its_folder_is_not_unpacked "
            "test_a_file_with_another_checksum_changes_nothing test_a_download_with_another_checksum_leaves_nothing",
        },
    ),
)


class Counting:
    """A plugin of pytest that counts collected and passed tests by border."""

    def __init__(self) -> None:
        self.collected: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._count(self.collected, (item.nodeid for item in session.items))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._count(self.passed, [report.nodeid])

    def _count(self, counts: Counter[str], tests: t.Iterable[str]) -> None:
        for test in tests:
            counts.update(border.subject for border in BORDERS if any(is_part(test, node) for node in border.nodes))


def is_part(test: str, node: str) -> bool:
    """Return whether a node includes a test."""
    return test == node or test.startswith((f"{node}::", f"{node}["))


def count(*options: str) -> tuple[int, Counting]:
    """Run pytest with the tests of all borders; return its exit status and the counts."""
    counting = Counting()
    nodes = dict.fromkeys(node for border in BORDERS for node in border.nodes)
    return pytest.main(["-q", "--rootdir", str(CHECKOUT), *options, *nodes], plugins=[counting]), counting


def section(counts: t.Mapping[str, int]) -> str:
    """Return the part of the page."""
    rows = [f"| {border.subject} | {counts[border.subject]} | {border.outcome} |" for border in BORDERS]
    return "\n".join(
        [
            HEADING,
            "",
            "`make test` tries each row with at least this number of tests. Some tests try many values.",
            "`make test-long` tries more.",
            "",
            "| what is tried | tests | what happens |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Run the tests and write their part of the page; fail if one of them fails."""
    status, counting = count("-n", "auto", "-m", "not long")
    if status:
        sys.exit(status)
    page = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)[0].rstrip("\n")
    DOCUMENT.write_text(f"{page}\n\n{section(counting.passed)}", encoding="utf-8")


if __name__ == "__main__":
    main()
