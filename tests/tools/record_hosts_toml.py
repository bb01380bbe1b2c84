# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record what releases of containerd read from a hosts.toml: each key with values of each type, and unusual files.

    export PYTHONPATH=.cache/collections
    python -m ansible_collections.dragonflyoss.dragonfly.tests.tools.record_hosts_toml 1.7.29

Requires Go and access to its modules. Writes tests/unit/plugins/plugin_utils/recorded/hosts-toml-RELEASE.json,
with which test_recorded_hosts_toml.py compares the check: per text the URL and headers of the first host for pulls,
``registry`` if that is the registry itself, or ``missing file`` if it names a file that does not exist.
"""

from __future__ import annotations

import json
import posixpath
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

RECORDED = Path(__file__).resolve().parents[1] / "unit/plugins/plugin_utils/recorded"
REGISTRY = "registry.example.com"
PROXY = "http://127.0.0.1:4001"
PROGRAM = """
package main

import (
  "context"
  "encoding/json"
  "fmt"
  "io"
  "os"
  "path/filepath"
  "strings"

  docker "PACKAGE"
  "PACKAGE/config"
  "github.com/sirupsen/logrus"
)

func hosts(root string) (hosts []docker.RegistryHost, err error) {
  defer func() {
    if r := recover(); r != nil {
      err = fmt.Errorf("panic: %v", r)
    }
  }()
  options := config.HostOptions{HostDir: config.HostDirFromRoot(root)}
  return config.ConfigureHosts(context.Background(), options)("REGISTRY")
}

func main() {
  logrus.SetOutput(io.Discard)
  var texts []string
  if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
    panic(err)
  }
  root, _ := os.MkdirTemp("", "hosts")
  defer os.RemoveAll(root)
  file := filepath.Join(root, "REGISTRY", "hosts.toml")
  os.MkdirAll(filepath.Dir(file), 0o755)
  for _, text := range texts {
    os.WriteFile(file, []byte(text), 0o644)
    found, err := hosts(root)
    line := map[string]any{"error": "", "hosts": []any{}}
    if err != nil {
      line["error"] = err.Error()
    }
    for _, host := range found {
      if host.Capabilities.Has(docker.HostCapabilityPull) {
        scheme := host.Scheme
        if strings.Contains(fmt.Sprintf("%T", host.Client.Transport), "Fallback") {
          scheme = "http" // It tries HTTPS first, and falls back to HTTP where the server has no TLS.
        }
        line["hosts"] = append(line["hosts"].([]any), []any{scheme, host.Host, host.Path, host.Header})
      }
    }
    text, _ := json.Marshal(line)
    fmt.Println(string(text))
  }
}
"""
#: Values in TOML, each for each key.
VALUES = """
"x"|""|1|0|1.5|true|false|[]|["/x"]|["/x", "/y"]|[1]|["/x", 1]|[true]|[["/a", "/b"]]|[["/a"]]|[["/a", "/b", "/c"]]|
[["/a", 1]]|["/c", ["/a", "/b"]]|[[]]|[[["/a"]]]|{a = 1}|{a = "1"}|{}|{a = ["1", "2"]}|{a = ["1", 2]}|{a = []}|
[{a = 1}]|"10s"|"10"|"-5s"|"1h10m1.5s"|"0"|"1d"|"10S"|"10 s"|".5s"|"5.s"|".s"|"+5s"|"9999999h"|["pull"]|["PULL"]|
["push"]|["referrers", "pull"]|[""]|"pull"
""".replace("\n", "").split("|")
KEYS = ("capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout", "server", "unknown")
URLS = """
127.0.0.1:4001|http:127.0.0.1:4001|HTTP://127.0.0.1:4001|https://127.0.0.1:4001|http://127.0.0.1:4001/|
http://127.0.0.1:4001//|http://127.0.0.1:4001/v2|http://127.0.0.1:4001/v2/|http://127.0.0.1:4001/v2/hub|
http://127.0.0.1:4001/a/../v2|http://127.0.0.1:4001/..|http://127.0.0.1:4001/hub/v2|http://127.0.0.1:4001/xv2|
http://127.0.0.1:4001?x=1|http://127.0.0.1:4001#x|http://u:p@127.0.0.1:4001| http://127.0.0.1:4001|
http://127.0.0.1:4001 |http://127.0.0.1:port|http://127.0.0.1:|http://127.0.0.1|http://[::1]:4001|http://[::1|
http://127.0.0.1:4001/%zz|http://127.0.0.1:4001/%41|http://127.0.0.1:4001/a b|http://local host:4001|
unix:///run/x.sock|https://registry.example.com|registry.example.com|http://127.0.0.1:+4001|http://{{ proxy }}|
http://127.0.0.1,http://a|//127.0.0.1:4001|http://127.0.0.1:4001/v2?ns=docker.io
""".replace("\n", "").split("|")
PULLS = f'[host."{PROXY}"]\ncapabilities = ["pull"]\n'
SENDS = f'[host."{PROXY}".header]\nX-A = ["1", "2"]\n'
OTHER = '[host."https://a"]\n'
FILES = [
    "",
    "\n\n",
    "# nothing\n",
    'server = ""\n' + PULLS,
    f'server = "{PROXY}"\n',
    f'server = "{PROXY}"\ncapabilities = ["push"]\n' + OTHER,
    f'server = "{PROXY}/a"\noverride_path = true\n[header]\nX-A = "1"\n',
    f'server = "{PROXY}"\n[host]\n',
    f'server = "{PROXY}"\n{OTHER}capabilities = ["push"]\n',
    "[host]\n",
    '[host.""]\n' + PULLS,
    OTHER + PULLS,
    PULLS + OTHER,
    PULLS + SENDS,
    SENDS + PULLS,
    SENDS,
    PULLS + OTHER + SENDS,
    '[host."https://a".header]\nX = "1"\n' + PULLS + OTHER,
    PULLS + PULLS,
    f'[host]\n"{PROXY}" = {{capabilities = ["pull"]}}\n',
    f'[host]\n"{PROXY}".capabilities = ["pull"]\n',
    f'host."{PROXY}".capabilities = ["pull"]\n',
    f'host = {{"{PROXY}" = {{capabilities = ["pull"]}}}}\n',
    'host."https://a" = {}\n' + PULLS,
    f'[[host."{PROXY}"]]\n',
    f'[[host]]\nurl = "{PROXY}"\n',
    f"[host.'{PROXY}']\ncapabilities = ['pull']\n",
    "[host.registry]\n",
    "[host.127.0.0.1]\n",
    f'  [ "host" . "{PROXY}" ] # the client\n\tcapabilities = [\n  "pull", # yes\n  "resolve",\n]\n',
    f'[hosts."{PROXY}"]\n',
    f'server = """\n{OTHER}"""\n' + PULLS,
    "# " + OTHER + PULLS,
    (PULLS + SENDS).replace("\n", "\r\n"),
    "\ufeff" + PULLS + SENDS,
    "\u200b" + PULLS,
    PULLS.replace('"', "\u201c"),
    f'[host."{PROXY}"]\ncapabilities = ["pull" "resolve"]\n',
    f'[host."{PROXY}"]\nheader = {{X-A = "1"}}\n',
    f'[host."{PROXY}"]\nheader.X-A = "1"\n',
    f'[host."{PROXY}".header]\nX-A: "1"\n',
    f'[host."{PROXY}".headers]\nX-A = "1"\n',
    f'[[host."{PROXY}".header]]\nX-A = "1"\n',
    '[header]\nX-A = "1"\n' + PULLS,
    PULLS + "server = 5\n",
    f'[host."{PROXY}"]\nCapabilities = ["push"]\n',
    f'[host."{PROXY}"]\nCAPABILITIES = ["push"]\n',
    f'[host."{PROXY}"]\ncapabilities = ["pull"]\nCapabilities = ["push"]\n',
    f'[host."{PROXY}".Header]\nX-A = "1"\n',
    f'[Host."{PROXY}"]\n',
    f'[HOST."{PROXY}"]\n',
    f'Server = "{PROXY}"\n',
    "SERVER = 5\n" + PULLS,
    f'[host."{PROXY}"]\nSkip_Verify = "x"\n',
    f'[host."{PROXY}/a"]\nOVERRIDE_PATH = true\n',
    f'[host."{PROXY}"]\nskip-verify = "x"\n',
    f'server: https://a\nhost:\n  - "{PROXY}"\n',
    f'[host."{PROXY}".capabilities]\na = 1\n',
    "plain_http = true\n" + PULLS,
    f'[host."{PROXY}"\n',
    f"[host.{PROXY}]\n",
]


def texts() -> list[str]:
    """Return each hosts.toml to record, once."""
    all_texts = list(FILES)
    for value in VALUES:
        for key in KEYS:
            all_texts += [f'[host."{PROXY}"]\n{key} = {value}\n', f'{key} = {value}\n[host."{PROXY}"]\n']
        all_texts += [
            f"host = {value}\n",
            f'[host."{PROXY}".header]\nX-A = {value}\n',
            f'[host]\n"{PROXY}" = {value}\n',
        ]
    for url in URLS:
        all_texts += [
            f'[host."{url}"]\n',
            f'[host."{url}"]\noverride_path = true\n',
            f'server = "{url}"\n',
            f'server = "{url}"\n[host."{PROXY}"]\n',
            f'[host."{PROXY}"]\n[host."{url}"]\n',
        ]
    return list(dict.fromkeys(all_texts))


def outcome(line: dict[str, t.Any]) -> list[t.Any] | str:
    """Return what containerd reads from a file."""
    if line["error"]:
        return "missing file" if "unable to read" in line["error"] else "registry"
    hosts = line["hosts"]
    if not hosts or tuple(hosts[0][:3]) == ("https", REGISTRY, "/v2"):
        return "registry"
    scheme, host, path, header = hosts[0]
    # Like containerd before a request.
    path = posixpath.normpath("/" + path.lstrip("/")).rstrip("/")
    return [f"{scheme}://{host}{path}", {name: value[0] for name, value in (header or {}).items() if value}]


def main() -> None:
    """Record the release on the command line."""
    (release,) = sys.argv[1:]
    module = "github.com/containerd/containerd" + ("" if release.startswith("1.") else "/v2")
    package = module + ("" if release.startswith("1.") else "/core") + "/remotes/docker"
    with tempfile.TemporaryDirectory() as folder:
        source = PROGRAM.replace("PACKAGE", package).replace("REGISTRY", REGISTRY)
        Path(folder, "main.go").write_text(source, encoding="utf-8")
        for command in (
            ["go", "mod", "init", "record"],
            ["go", "get", f"{module}@v{release}", "github.com/sirupsen/logrus"],
            ["go", "mod", "tidy"],
            ["go", "build", "-o", "record", "."],
        ):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        program = [f"{folder}/record"]
        output = subprocess.run(program, input=json.dumps(texts()), capture_output=True, text=True, check=True).stdout
    record = dict(zip(texts(), (outcome(json.loads(line)) for line in output.splitlines()), strict=True))
    lines = ",\n".join(f"{json.dumps(text)}: {json.dumps(result)}" for text, result in record.items())
    (RECORDED / f"hosts-toml-{release}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    print(f"{len(record)} files were recorded.")


if __name__ == "__main__":
    main()
