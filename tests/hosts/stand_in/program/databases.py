# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The databases of a manager: SQL by the programs that the host's packages bring, Redis by its own protocol."""

from __future__ import annotations

import os
import socket
import subprocess

from settings import Refused

TIMEOUT = 10  # seconds

CREATE_USER = (
    "CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, name VARCHAR(256), encrypted_password VARCHAR(1024))"
)


class Database:
    """The database in the section of a configuration.

    :param kind: ``mysql``, ``mariadb`` or ``postgres``
    :param section: of that kind
    """

    def __init__(self, kind, section):
        self._is_postgres = kind == "postgres"
        self._section = section
        # A word of its own in both.
        self._table = '"user"' if self._is_postgres else "`user`"

    def prepare(self, password):
        """Create the table of users with the user root, unless they are there."""
        self._run(CREATE_USER.format(table=self._table))
        if not self._run(f"SELECT id FROM {self._table} WHERE name = 'root'"):
            self._run(f"INSERT INTO {self._table} VALUES (1, 'root', {self._quoted(password)})")

    def password_of(self, column, value):
        """Return the ID and password of the user whose column has a value, None if there is none."""
        rows = self._run(
            f"SELECT id, encrypted_password FROM {self._table} WHERE {column} = {self._quoted(str(value))}"
        )
        if not rows:
            return None
        number, password = rows.splitlines()[0].split("\t", 1)
        return int(number), password

    def set_password(self, number, password):
        self._run(f"UPDATE {self._table} SET encrypted_password = {self._quoted(password)} WHERE id = {int(number)}")

    def _quoted(self, text):
        """Return a text as SQL has it; a backslash escapes in MySQL and MariaDB alone."""
        escaped = text if self._is_postgres else text.replace("\\", "\\\\")
        return "'{}'".format(escaped.replace("'", "''"))

    def _run(self, statement):
        section = self._section
        address = ["--host", section["host"], "--port", str(section["port"])]
        if self._is_postgres:
            command = ["psql", *address, "--username", section["user"], "--dbname", section["dbname"], "--no-psqlrc"]
            command += ["--tuples-only", "--no-align", "--quiet", "--field-separator", "\t", "--command", statement]
        else:
            command = ["mariadb", "--no-defaults", *address, "--protocol", "tcp", "--user", section["user"]]
            command += ["--batch", "--raw", "--skip-column-names", "--execute", statement, section["dbname"]]
        passwords = {"MYSQL_PWD": section["password"], "PGPASSWORD": section["password"]}
        done = subprocess.run(
            command, env={**os.environ, **passwords}, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        if done.returncode:
            raise Refused(f"database: {done.stderr.strip()}")
        return done.stdout.strip("\n")


def check_redis(section, names):
    """Select each of these databases of Redis, as the daemons do before anything else.

    :raises Refused: if Redis refuses the login or one of them
    """
    for address in section["addrs"]:
        host, _colon, port = address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=TIMEOUT) as connection:
                _select(connection.makefile("rwb"), section, [section.get(name, at) for name, at in names.items()])
        except (OSError, ValueError) as error:
            raise Refused(f"redis {address}: {error}") from error


def _select(stream, section, numbers):
    commands: list[tuple] = [("SELECT", number) for number in numbers]
    if section.get("password"):
        commands.insert(0, ("AUTH", section.get("username") or "default", section["password"]))
    for command in commands:
        arguments = [str(argument).encode() for argument in command]
        bulks = b"".join(b"$%d\r\n%s\r\n" % (len(argument), argument) for argument in arguments)
        stream.write(b"*%d\r\n" % len(arguments) + bulks)
        stream.flush()
        answer = stream.readline().decode().strip()
        if answer != "+OK":
            raise Refused(f"redis: {command[0]}: {answer}")
