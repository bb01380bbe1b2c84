# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replay recorded exchanges against a sandbox, in their order and at their times, and report different responses.

What varies from run to run (README.md) is removed from both responses, or given to the sandbox in advance: when a
poll saw the end of a job.
"""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timezone
from pathlib import Path

import requests
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import ManualClock, Sandbox

RECORDINGS = Path(__file__).parent / "recordings"
REGISTRY = "10.77.0.1:5000"
_SECOND = 10**9

_ALONE = ("health", "auth", "probes", "signin", "tokens", "no_scheduler", "clusters")
_TOGETHER = (
    "image_no_seed_peer",
    "infra",
    "image_success",
    "image_again",
    "image_multiarch",
    "bad_posts",
    "ignored_keys",
    "all_args",
    "file_success",
    "file_missing",
    "file_urls",
    "lists",
    "one",
    "task_jobs",
    "rate_limit",
)
_LATER = (
    "file_warmed",
    "file_partly_warmed",
    "image_partly_warmed",
    "image_all_peers",
    "image_partly_warmed_all_peers",
)

#: Recorded managers, each as (release, scenarios without schedulers, scenarios with schedulers and
#: hosts).
RUNS = (
    (
        "2.0.9",
        ("probes", "signin", "no_scheduler"),
        ("infra", "image_success", "all_args", "file_warmed", "bad_posts", "lists", "one"),
    ),
    ("2.1.0", _ALONE, _TOGETHER[1:] + ("v1", "ghost_user", "console_jobs")),
    ("2.1.67", _ALONE, _TOGETHER + ("ghost_user", "v1", "console_jobs")),
    ("2.3.4", _ALONE, _TOGETHER[1:] + ("ghost_user", "v1", "console_jobs")),
    ("2.5.1", _ALONE, _TOGETHER + ("v1", "console_jobs", "ghost_user")),
    ("2.1.67", (), _LATER),
    ("2.5.1", (), _LATER),
)

_APP = (
    "a5a398d9d086931d3ad2b58177199c95954fe62d884175dddb68a5931458129e",
    "c7e284725d99fce080383680c76a31f3592e59ce399de2c4ea9007360aa0b331",
    "24e5fc844e6a80014dc54db5a2a4e27950b624e477594e45995c39c76086b569",
    "15a509d293899c3ec33a3b0b2f9e3a140d0b74eb956832cbf4a2ff04bb34e48a",
)
_APP_2 = (
    "725ee81a0d017bfff26b76d7871bfaca8c75cd953e8ea5b30fa7285cb17054e6",
    "9a3b4e7301f5a6c97603d49949397e0635f5165ec97da4e4b6cb19a421501bd3",
    "12e88a03a906d478f3828d14f39b75c0fa3cde72e8187ebfc5719034358642f4",
    "324bb214514b6ff8e9ee3c13a85f1394108f6f67fb9fe8b12a5f1149e6727bc9",
)
_APP_3 = (
    "f2e7e331688a21c0b8736ff6b8f82f36d8d0a3aa7d9e310ade69803ec6413886",
    "63fb298c03bb8f9efc509ad4215d498bfd1e11c776f5b7aa1aae54cc2c284b1b",
    "7b9cbaa01dae14c16ad0262e303069f8fcb9ca42fc409785f979ad7b15e7f413",
    "62b04f8adf20a9d2c1925d07facd7a75fdff186e230cb187c58c3a7417aa38f5",
)
_MULTI = (
    "dd5a5ccaf67625ca5b5c436ab1f24daf45bf2c3d4234b53d056a46aee7a28b4e",
    "edee804eb3e3f30717708a88bb2bd797166a7ec468654263830a63880cde2edf",
    "57b63f9dcdef68503c1f5dedd9806551f8cf09655d44ebddf757fba613b7c2c1",
)
_MISSING = "f" * 64  # the layer of library/broken that the registry had lost; no recording names it
_BROKEN = (
    "855d160e1bd4ba28b5ad34770eee38d4f0ca0885208fc36da23a6663a8e6f547",
    "32d6be555fad82e0110f60b1a3996593cb8b67ab302969131ce71e38b0aa8847",
    _MISSING,
    "945dd0adbbbeee90a37232da794263f65a96c6d80f972c991d86df004f2712cc",
)


def _file():
    return {"type": "preheat", "args": {"type": "file", "url": f"http://{REGISTRY}/v2/library/app/manifests/1"}}


def _image(name, tag):
    return {"type": "preheat", "args": {"type": "image", "url": f"http://{REGISTRY}/v2/{name}/manifests/{tag}"}}


def _get_task():
    return {"type": "get_task", "args": {"url": f"http://{REGISTRY}/v2/library/app/manifests/1"}}


#: Jobs that these runs created before a scenario and that no exchange shows, by release and scenario. They use IDs, and
#: the counts in Link show how many there were. ``None`` is a row that no longer exists. Each with the time of
#: the first.
UNRECORDED = {
    ("2.1.67", "infra"): ("2026-11-24T22:22:23.000000007Z", [_image("library/app", 1)] * 27 + [None] * 2),
    ("2.1.67", "ghost_user"): ("2026-11-24T22:27:02.020000007Z", [_file()] * 12 + [_get_task()] * 2),
    ("2.3.4", "rate_limit"): ("2026-11-24T22:35:19.200000007Z", [_file()] * 10),
    ("2.5.1", "file_missing"): ("2026-11-24T23:38:13.032000007Z", [_image("library/app", 3)]),
}
# Duration of an exchange if unknown: short, and odd, because no fraction must end with zeros.
_TICK = 100 * 1000 + 7


def recording(release, scenario):
    """Return the exchanges of one file (list of dict), empty if it was not recorded."""
    path = RECORDINGS / release / (scenario + ".json")
    return json.loads(path.read_text(encoding="utf-8"))["exchanges"] if path.exists() else []


class Exchange(t.NamedTuple):
    """Position of a recorded exchange.

    :ivar request: its verb and path.
    :ivar run: which of RUNS.
    :ivar place: its number in the run.
    """

    name: str
    request: str
    run: int
    place: int


def exchanges() -> list[Exchange]:
    """Return all exchanges."""
    places = []
    for number, run in enumerate(RUNS):
        for place, (name, exchange) in enumerate(_exchanges_of(run)):
            request = exchange["request"]
            places.append(Exchange(name, f"{request['method']} {request['path']}", number, place))
    return places


def _exchanges_of(run):
    release, alone, together = run
    return [
        (f"{release}/{scenario}/{number}", exchange)
        for scenario in alone + together
        for number, exchange in enumerate(recording(release, scenario))
    ]


# Times


def nanoseconds(text):
    match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$", text)
    assert match, text
    second = datetime.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(second.timestamp()) * _SECOND + int((match.group(2) or "").ljust(9, "0"))


def _times(value, keys=("created_at", "updated_at", "CreatedAt", "UpdatedAt", "last_keep_alive_at")):
    """Return all times in a response, in nanoseconds."""
    if isinstance(value, list):
        return [time for item in value for time in _times(item, keys)]
    times = []
    if isinstance(value, dict):
        for key, item in value.items():
            if key in keys and isinstance(item, str) and not item.startswith("0001"):
                times.append(nanoseconds(item))
            times += _times(item, keys)
    return times


def _get(document, *names):
    """Return a value by its name or Go's name for it."""
    return next((document[name] for name in names if name in document), None)


class _Story:
    """What a run's recordings show about one job."""

    def __init__(self):
        self.created = None
        self.polls = {}

    def add(self, row):
        result = row.get("result") or {}
        states = _get(result, "job_states", "JobStates")
        if not states:
            return
        self.created = min(nanoseconds(_get(state, "created_at", "CreatedAt")) for state in states)
        when = _get(result, "updated_at", "UpdatedAt")
        when = nanoseconds(when) if when else max(nanoseconds(row["updated_at"]), self.created)
        self.polls[when] = [
            _get(state, "state", "State") in ("SUCCESS", "FAILURE")
            for state in sorted(states, key=lambda state: _get(state, "created_at", "CreatedAt"))
        ]

    def rule(self):
        """Return the rule with which the sandbox's polls see what the recorded ones saw."""
        whens = sorted(self.polls)
        first = [done and when - self.created < 2 * _SECOND for when in whens[:1] for done in self.polls[when]]
        rule = {"task_after": [0 if done else 2 for done in first]}
        later = [when for when in whens if when - self.created >= 2 * _SECOND]
        if later:
            rule["polls"] = [(when - self.created) / _SECOND for when in later]
        return rule


def stories(run):
    """Return stories by job ID, without the times that a PATCH wrote."""
    by_id: dict[int, _Story] = {}
    for _name, exchange in _exchanges_of(run):
        answer = exchange["response"].get("json")
        for row in answer if isinstance(answer, list) else [answer]:
            if isinstance(row, dict) and row.get("type") in ("preheat", "get_task", "delete_task"):
                story = by_id.setdefault(row["id"], _Story())
                if exchange["request"]["method"] != "PATCH":
                    story.add(row)
    return by_id


# A run


class Replay:
    """Replay of one recorded manager.

    :param number: which of RUNS.
    """

    def __init__(self, number):
        self._run = RUNS[number]
        self._release = self._run[0]
        self._exchanges = _exchanges_of(self._run)
        self._stories = stories(self._run)
        self._results = []
        self._secrets = {}
        self._moment = None
        first = min(time for _name, exchange in self._exchanges for time in _times(exchange["response"].get("json")))
        # The manager's audit log started slightly later. It ends the period after a sign-in in which others fail.
        self._clock = ManualClock(first + 4 * _SECOND // 10)
        self.box = Sandbox(
            release=self._release,
            client="rust" if self._release == "2.5.1" else "go",
            hosts=(),
            scheduler=False,
            aliases={REGISTRY: "registry", "10.77.0.1:5999": "127.0.0.1:1", "127.0.0.1:5000": "127.0.0.1:1"},
            traps=["T27"],
            clock=self._clock,
            token=False,
        ).start()
        self._fill_registry()
        if not self._run[1]:
            self._secrets["PAT job-token"] = self.box.add_token("job-token", scopes=["job"])

    def close(self):
        self.box.stop()

    def _fill_registry(self):
        def digests(hexes):
            return ["sha256:" + digits for digits in hexes]

        for tag, hexes in enumerate((_APP, _APP_2, _APP_3), 1):
            self.box.image("library/app", str(tag), digests=digests(hexes))
            self.box.image("docker/app", str(tag), kind="docker")
        self.box.registry_content.delete_tag("docker/app", "3")
        self.box.image("library/broken", "1", digests=digests(_BROKEN))
        self.box.delete_blob("sha256:" + _MISSING)
        platforms = ["linux/amd64", "linux/arm64"]
        self.box.image("team/multi", "1", platforms=platforms, layers=2, digests={"linux/arm64": digests(_MULTI)})
        self.box.image("docker/multi", "1", kind="docker", platforms=platforms, layers=2)

    def differences(self, place):
        """Return how the sandbox's response to an exchange differs from the recorded one. Replay earlier ones first."""
        while len(self._results) <= place:
            self._results.append(self._play(*self._exchanges[len(self._results)]))
        return self._results[place]

    def _play(self, name, exchange):
        self._prepare(name)
        self._set_clock(exchange)
        request = exchange["request"]
        headers = {key: self._reveal(value) for key, value in request.get("headers", {}).items()}
        body = json.dumps(request["json"]) if request.get("json") is not None else request.get("text")
        self._expect_job(exchange)
        answer = requests.request(
            request["method"],
            self.box.url + request["path"],
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=30,
        )
        self._learn(exchange, answer)
        return compare(exchange["response"], answer, name.split("/")[1] in _ANY_TASK)

    # Before an exchange

    def _prepare(self, name):
        """Repeat what happened before a scenario: hosts that joined, and jobs that were not recorded."""
        _release, scenario, number = name.split("/")
        if number != "0":
            return
        begin, bodies = UNRECORDED.get((self._release, scenario), (None, []))
        for body in bodies:
            self._clock.set(max(self._clock.now() + _TICK, nanoseconds(begin)))
            self._make_unrecorded(body)
        together = self._run[2]
        fleet = self.box.manager.fleet
        if scenario in together and not fleet.schedulers:
            fleet.add_scheduler()
        if scenario in together and scenario != "image_no_seed_peer" and not fleet.hosts:
            client = "rust" if self._release == "2.5.1" else "go"
            # The time when a host joined has nanoseconds.
            self._clock.set(self._clock.now() + _TICK)
            for host, ip, role in (
                ("seed-1", "10.77.0.1", "seed"),
                ("host-1", "10.77.0.11", "peer"),
                ("host-2", "10.77.0.12", "peer"),
            ):
                self.box.add_host(host, ip, role=role, client=client)

    def _make_unrecorded(self, body):
        headers = {"Authorization": f"Bearer {self._secrets['PAT job-token']}"}
        made = requests.post(self.box.url + "/oapi/v1/jobs", headers=headers, json=body or _get_task(), timeout=30)
        if body is None:
            requests.delete(f"{self.box.url}/oapi/v1/jobs/{made.json()['id']}", headers=headers, timeout=30)

    def _set_clock(self, exchange):
        """Set the clock to the time of the recorded exchange, if its response shows it."""
        answer = exchange["response"].get("json")
        times = _times(answer)
        made = _made_job(exchange)
        if made and made in self._stories:
            times = [self._stories[made].created] if self._stories[made].created else times
        elif exchange["request"]["method"] == "GET":
            # Rows with a result were polled before. Times without a fraction do not show when.
            rows = answer if isinstance(answer, list) else [answer]
            polled = [
                row["id"] for row in rows if isinstance(row, dict) and row.get("result") and row["id"] in self._stories
            ]
            times += [self._stories[number].created + _SECOND // 100 for number in polled]
        if "signin" in exchange["request"]["path"]:
            times = [self._sign_in_time(exchange)]
        self._clock.set(self._clock.now() + _TICK)
        if times and max(times) > self._clock.now():
            self._clock.set(max(times))

    def _sign_in_time(self, exchange):
        """Set the clock by notes: the seconds since the last sign-in, and ``expire`` if one succeeded."""
        if self._moment is None:
            signins = [entry for _name, entry in self._exchanges if entry["request"]["path"].endswith("/signin")]
            first = next(entry for entry in signins if entry["response"]["status"] == 200)
            self._moment = self._succeeded(first) - int(_noted(first) * _SECOND)
        when = self._moment + int(_noted(exchange) * _SECOND)
        if exchange["response"]["status"] == 200:
            self._moment = self._succeeded(exchange)
        return when

    def _succeeded(self, exchange):
        match = re.search(r"Max-Age=(\d+)", exchange["response"]["headers"]["Set-Cookie"])
        assert match
        seconds = int(match.group(1))
        return nanoseconds(exchange["response"]["json"]["expire"]) - seconds * _SECOND + 3 * _SECOND // 10

    def _expect_job(self, exchange):
        """Configure what each poll of the next job sees."""
        story = self._stories.get(_made_job(exchange))
        if story and story.polls:
            kind = exchange["request"]["json"]["type"] if exchange["request"]["path"].endswith("/jobs") else "preheat"
            self.box.rule(outcome="fetch", type=kind, times=1, **story.rule())
        if exchange.get("note") == "t = 0 s" and exchange["response"]["json"]["id"] == 0:
            self.box.rule(fault="zero_row", method="GET", times=1)

    def _reveal(self, text):
        return re.sub(r"<((?:PAT|JWT)[^>]*)>", lambda match: self._secrets[match.group(1)], text)

    # After an exchange

    def _learn(self, exchange, answer):
        """Store the secrets in a response under their names in the recording."""
        recorded = exchange["response"].get("json")
        if isinstance(recorded, dict) and str(recorded.get("token", "")).startswith("<") and answer.status_code == 200:
            name = recorded["token"].strip("<>")
            self._secrets.setdefault(name, answer.json()["token"])


def _made_job(exchange):
    """Return the ID of the job that an exchange created, None if it created none."""
    request, answer = exchange["request"], exchange["response"].get("json")
    if (
        request["method"] == "POST"
        and request["path"].endswith(("/jobs", "/preheats"))
        and isinstance(answer, dict)
        and "id" in answer
    ):
        return int(answer["id"])
    return None


def _noted(exchange):
    match = re.match(r"(\d+(?:\.\d+)?) s ", exchange.get("note") or "")
    return float(match.group(1)) if match else 0


# Comparing


_TIME_KEYS = (
    "created_at",
    "updated_at",
    "CreatedAt",
    "UpdatedAt",
    "last_keep_alive_at",
    "expire",
    "startTime",
    "finishTime",
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TASK_ID = re.compile(r"\b[0-9a-f]{64}\b")
# Scenarios whose errors contain the ID of any of several tasks, or of a blob with an unrecorded digest.
_ANY_TASK = ("all_args", "image_partly_warmed_all_peers")
_HOST = re.compile(r"10\.77\.0\.1\d? (seed|host)-\d")


def _time_shape(text):
    """Return a time without its digits, except the zero time.

    Go omits zeros at the end of a fraction, and the whole fraction of a time with 0 milliseconds.
    """
    if text.startswith("0001"):
        return text
    shape = re.sub(r"\d", "9", text)
    return re.sub(
        r"^([^.Z+]+)(\.9+)?",
        lambda match: match.group(1) + (".999999999" if len(match.group(2) or "") > 4 else ".999"),
        shape,
    )


def shape(value, any_task, key=None):
    """Return a response without what varies from run to run.

    :param any_task: whether task IDs in error texts vary.
    """
    if isinstance(value, dict):
        if "host_name" in value and "kernel_version" in value:
            value = dict(value, id=0, kernel_version="", git_version="")
        return {name: shape(item, any_task, name) for name, item in value.items()}
    if isinstance(value, list):
        return _list_shape([shape(item, any_task) for item in value], key)
    return _text_shape(value, any_task, key) if isinstance(value, str) else value


def _list_shape(items, key):
    if key in ("job_states", "JobStates", "success_tasks", "failure_tasks", "peers"):
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    if any(isinstance(item, dict) and "kernel_version" in item for item in items):
        return sorted(items, key=lambda host: host["host_name"])
    return items


def _text_shape(text, any_task, key):
    if key in _TIME_KEYS:
        return _time_shape(text)
    if key == "token":
        return "a token" if text else text
    if key in ("state", "State") and text in ("RECEIVED", "STARTED"):
        return "PENDING"
    if key in ("error", "Error"):
        text = _HOST.sub("a host", _TASK_ID.sub("a task", text) if any_task else text)
    return _UUID.sub("a uuid", text)


def _header_shape(headers):
    """Return the headers that a recording keeps."""
    names = ("Content-Type", "Location", "Link", "Www-Authenticate", "Retry-After", "X-Server-IP", "Set-Cookie")
    kept = {name: headers[name] for name in names if name in headers}
    if "X-Server-IP" in kept:
        kept["X-Server-IP"] = "<set>"
    if "Set-Cookie" in kept:
        kept["Set-Cookie"] = re.sub(r"^jwt=[^;]+", "jwt=a token", kept["Set-Cookie"])
    return kept


def _walk(recorded, actual, path):
    """Return where two values differ."""
    if isinstance(recorded, dict) and isinstance(actual, dict):
        differences = [f"{path}: the sandbox lacks {name}" for name in recorded if name not in actual]
        differences += [f"{path}: the sandbox has {name}, too" for name in actual if name not in recorded]
        for name in recorded:
            if name in actual:
                differences += _walk(recorded[name], actual[name], f"{path}.{name}")
        return differences
    if isinstance(recorded, list) and isinstance(actual, list) and len(recorded) == len(actual):
        differences = []
        for number, pair in enumerate(zip(recorded, actual)):
            differences += _walk(*pair, path=f"{path}[{number}]")
        return differences
    if recorded == actual and type(recorded) is type(actual):
        return []
    return [f"{path}: recorded {json.dumps(recorded)[:300]}, the sandbox says {json.dumps(actual)[:300]}"]


def differing(recorded, actual):
    """Return the differences between two JSON values, without what varies from run to run (list of str)."""
    return _walk(shape(recorded, False), shape(actual, False), "body")


def compare(recorded, answer, any_task=False):
    """Return the differences between a recorded response and the sandbox's.

    :param answer: a response of requests.
    :param any_task: whether task ids in error texts may differ.
    :returns: list of str, empty if they agree.
    """
    differences = _walk(recorded["status"], answer.status_code, "status")
    differences += _walk(_header_shape(recorded["headers"]), _header_shape(answer.headers), "headers")
    if "json" in recorded:
        try:
            differences += _walk(shape(recorded["json"], any_task), shape(answer.json(), any_task), "body")
        except ValueError:
            differences.append(f"body: recorded JSON, the sandbox says {answer.text[:300]}")
    else:
        differences += _walk(recorded["text"], answer.text, "body")
    return differences
