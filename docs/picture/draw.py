# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw overview.svg from overview.dot, with Graphviz (``neato`` on PATH), in colours for light and dark pages.

python docs/picture/draw.py
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# REUSE-IgnoreStart
LICENCE = "<!-- SPDX-License-Identifier: GPL-3.0-or-later -->"
# REUSE-IgnoreEnd
TITLE = (
    "A playbook makes one seed peer of each cluster fetch each blob from the registry; the hosts then pull from "
    "Dragonfly."
)

# A page shows the picture as an image, so it has its own background and follows the reader's system, not the page.
STYLE = """\
<style>
  svg { --back: #ffffff; --rim: #d0d7de; --text: #1f2328; --quiet: #59636e; --control: #8250df; --data: #1a7f37;
    --ansible: #fbefff; --dragonfly: #ddf4ff; --registry: #f6f8fa; --host: #dafbe1; }
  @media (prefers-color-scheme: dark) {
    svg { --back: #0d1117; --rim: #3d444d; --text: #f0f6fc; --quiet: #9198a1; --control: #ab7df8; --data: #3fb950;
      --ansible: #2b1d45; --dragonfly: #0c2d4f; --registry: #21262d; --host: #12341d; }
  }
  text { fill: var(--text);
    font-family: -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", Helvetica, Arial, sans-serif; }
  .node text + text { fill: var(--quiet); }
  .graph > polygon { fill: var(--back); }
  .node path { stroke: var(--rim); stroke-width: 1.5; }
  .ansible path { fill: var(--ansible); } .dragonfly path { fill: var(--dragonfly); }
  .registry path { fill: var(--registry); } .host path { fill: var(--host); }
  .control path { stroke: var(--control); } .control polygon { fill: var(--control); stroke: var(--control); }
  .data path { stroke: var(--data); } .data polygon { fill: var(--data); stroke: var(--data); }
</style>
"""


def main() -> None:
    """Draw the picture."""
    command = ["neato", "-n2", "-Tsvg", str(FOLDER / "overview.dot")]
    svg = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\n|<title>.*?</title>\n", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (fill|stroke|stroke-width|font-family|xmlns:xlink)="[^"]*"', _keep, svg)
    head, body = svg.split(">\n", 1)
    text = f'{LICENCE}\n{head} role="img">\n<title>{TITLE}</title>\n{STYLE}{body}'
    (FOLDER / "overview.svg").write_text(text, encoding="utf-8")


def _keep(attribute: re.Match) -> str:
    """Leave out what the style says."""
    name, value = attribute[1], attribute[0].split('"')[1]
    return attribute[0] if (name, value) == ("fill", "none") or (name == "stroke-width" and value != "1.5") else ""


if __name__ == "__main__":
    main()
