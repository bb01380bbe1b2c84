# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo``: the collection at work, as a user installs and runs it, against a sandbox on this machine.

Builds the collection, installs it into a temporary directory, starts a sandbox (a manager and a registry), and runs the
playbook ``preheat.yml`` three times: the first run preheats, the second changes nothing, and the third meets a manager
that reports SUCCESS although nothing is cached. Exits with 0 if each run ended as expected. Always stops the sandboxes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PLAY = CHECKOUT / "tests/demo/preheat.yml"


ANSIBLE_CFG = """\
[defaults]
collections_path = {scratch}
home = {scratch}/home
localhost_warning = false
[inventory]
inventory_unparsed_warning = false
"""


def say(text: str) -> None:
    print(text, flush=True)


def install(scratch: Path) -> None:
    """Build the collection and install it into a directory as ``ansible-galaxy`` does from Galaxy."""
    galaxy = ["ansible-galaxy", "collection"]
    run([*galaxy, "build", "--output-path", str(scratch), str(CHECKOUT)], scratch)
    [tarball] = scratch.glob("*.tar.gz")
    run([*galaxy, "install", "--offline", "--collections-path", str(scratch), str(tarball)], scratch)
    say(f"   {tarball.name}, {tarball.stat().st_size // 1000} kB")


def run(command: list[str], scratch: Path) -> None:
    """Run a command, and print its output only if it fails."""
    done = subprocess.run(command, env=environment(scratch), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def environment(scratch: Path) -> dict[str, str]:
    """Return the environment for Ansible: the user's, with the demo's own settings of Ansible and of the collection."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "DRAGONFLY_"))}
    return {**kept, "ANSIBLE_CONFIG": str(scratch / "ansible.cfg")}


@contextlib.contextmanager
def sandbox(release: str, client: str, scratch: Path):
    """Run a sandbox: a manager of a release, hosts with a client (``go`` or ``rust``). Yield its state, a dict."""
    state = scratch / f"sandbox-{release}.json"
    command = [sys.executable, str(CHECKOUT / "tests/sandbox"), "--release", release, "--client", client]
    command += ["--factor", "60", "--state", str(state)]
    with open(scratch / f"sandbox-{release}.log", "w+", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 20
            while not state.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    sys.exit(f"The sandbox did not start.\n{log.read()}")
                time.sleep(0.05)
            yield fill(json.loads(state.read_text(encoding="utf-8")))
        finally:
            process.terminate()
            process.wait(10)


def fill(state: dict) -> dict:
    """Push an image to the sandbox's registry and put a file at its origin; return its state with their addresses."""

    def post(name: str, body: dict) -> dict:
        url = f"{state['url']}/_sandbox/{name}"
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), method="POST")) as answer:
            return json.load(answer)

    image = post("images", {"name": "shop/web", "tag": "4.2.0"})
    file = post("files", {"path": "shop/catalogue.db", "content": "anything"})
    return {**state, "image": f"http://{image['reference']}", "file": file["url"]}


def play(state: dict, scratch: Path) -> str:
    """Run the playbook, print a short form of its output, and return its last line, the recap."""
    variables = {name: state[name] for name in ("url", "token", "image", "file")}
    command = ["ansible-playbook", str(PLAY), "--extra-vars", json.dumps(variables)]
    say(f"   $ ansible-playbook {PLAY.relative_to(CHECKOUT)}")
    done = subprocess.run(
        command, env=environment(scratch), text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    shown = re.sub(r"\nOrigin: .*?\n\n(?=fatal:)", "\n", done.stdout, flags=re.DOTALL)  # where it failed, in the play
    shown = re.sub(r"(?<=FAILED!) => .*", "", shown)  # the whole result; its message stands above
    shown = re.sub(r" \*\*\*+", "", shown)
    lines = [line.rstrip() for line in shown.splitlines() if line.strip()]
    say("\n".join(f"   {line}" for line in lines))
    return lines[-1] if lines else ""


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(1))
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dragonfly-demo-") as name:
        scratch = Path(name)
        (scratch / "ansible.cfg").write_text(ANSIBLE_CFG.format(scratch=scratch), encoding="utf-8")
        say("1. Build the collection and install it into a temporary directory")
        install(scratch)

        say("\n2. Preheat an image and a file, and wait until every blob is cached (manager 2.5.1)")
        with sandbox("2.5.1", "rust", scratch) as state:
            expect("changed=2", play(state, scratch))
            say("\n3. Run it again: both are cached, so no job is created")
            expect("changed=0", play(state, scratch))

        say("\n4. Manager 2.3.4 with a Go client as seed peer: the job succeeds but caches nothing, so the task fails")
        with sandbox("2.3.4", "go", scratch) as state:
            expect("failed=1", play(state, scratch))
    say(f"\nDone in {time.monotonic() - start:.0f} s. The sandboxes are stopped and the temporary directory is gone.")


def expect(recap_part: str, recap: str) -> None:
    """End the demo if the play's last line does not hold a part of it."""
    if recap_part not in recap:
        sys.exit(f"\nThis is not what the demo shows: {recap_part} was expected.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
