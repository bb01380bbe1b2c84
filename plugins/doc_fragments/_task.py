# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    # The twin of TASK in module_utils/_argspec.py.
    DOCUMENTATION = r"""
options:
  tag:
    description:
      - The tag that the preheat had. It is part of what identifies a task.
    type: str
  application:
    description:
      - The application that the preheat had. It is part of what identifies a task.
    type: str
  filtered_query_params:
    description:
      - Names of query parameters that are not part of what identifies a task. Without it the manager's own list counts.
    type: list
    elements: str
  piece_length:
    description:
      - The piece length that the preheat had, in bytes. It is part of what identifies a task, from release 2.2.1 on.
    type: int
  job_timeout:
    description:
      - Maximum time that the schedulers take, in seconds or as a duration such as V(30m). Defaults to 30 or 60 minutes,
        depending on the release of the manager.
    type: str
  scheduler_cluster_ids:
    description:
      - Ids of the clusters. Defaults to all clusters that have an active scheduler.
    type: list
    elements: int
    aliases: [scheduler_cluster_id]
notes:
  - The manager answers by jobs, which are rows in its list of jobs for some hours. It takes notice of their end at its
    own pace, from release 2.1.60 on often only after 30 seconds.
  - Needs release 2.1.55 or later.
"""

    # The twin of TASK_SOURCES.
    SOURCES = r"""
options:
  image:
    description:
      - A reference such as V(registry.example.com/shop/web:4.2.0), or a manifest URL. It stands for the tasks of all
        its blobs. Its manifest is read from where the module runs.
      - Exactly one of O(image), O(images), O(file), O(files), O(task_id) and O(task_ids) is required.
    type: str
  images:
    description:
      - Several images.
    type: list
    elements: str
  file:
    description:
      - URL of a file.
    type: str
  files:
    description:
      - URLs of several files.
    type: list
    elements: str
  task_id:
    description:
      - Id of a task, as the filter P(dragonflyoss.dragonfly.task_id#filter) gives it or a client logs it.
    type: str
  task_ids:
    description:
      - Ids of several tasks.
    type: list
    elements: str
  platforms:
    description:
      - Only the blobs of an image for these platforms, such as V(linux/amd64). Defaults to V(all).
    type: list
    elements: str
    aliases: [platform]
  digest_ids:
    description:
      - Whether for each blob of an image also the task counts whose id is the digest alone, as Rust clients make them
        with C(enableTaskIDBasedBlobDigest).
    type: bool
    default: false
"""
