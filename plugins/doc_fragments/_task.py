# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that name tasks."""

from __future__ import annotations


class ModuleDocFragment:
    # The twin of TASK in module_utils/_argspec.py.
    DOCUMENTATION = r"""
options:
  tag:
    description:
      - Tag of the preheat. It is part of the task ID.
    type: str
  application:
    description:
      - Application of the preheat. It is part of the task ID.
    type: str
  filtered_query_params:
    description:
      - Names of query parameters to exclude from the task ID. Defaults to the manager's own list.
    type: list
    elements: str
  piece_length:
    description:
      - Piece length of the preheat in bytes, from 4194304 to 67108864. It is part of the task ID in Dragonfly 2.2.1 or
        later.
    type: int
  job_timeout:
    description:
      - Time limit of the job in the schedulers, in seconds or as a duration such as V(30m), from 1s to 7d. Defaults to
        30 or 60 minutes, depending on the manager's release.
    type: str
  scheduler_cluster_ids:
    description:
      - IDs of the scheduler clusters. Defaults to all clusters that have an active scheduler.
    type: list
    elements: int
    aliases: [scheduler_cluster_id]
notes:
  - The manager runs each request as a job, which stays in its list of jobs for some hours. Dragonfly manager 2.1.60 or
    later often needs 30 to 60 seconds to detect that a job has ended.
  - Requires Dragonfly manager 2.1.55 or later.
"""

    # The twin of TASK_SOURCES.
    SOURCES = r"""
options:
  image:
    description:
      - Image reference such as V(registry.example.com/shop/web:4.2.0), or the URL of a manifest. It selects the tasks
        of all blobs of the image. The module reads the manifest from the registry.
      - Exactly one of O(image), O(images), O(file), O(files), O(task_id) and O(task_ids) is required.
    type: str
  images:
    description:
      - List of images.
      - Exactly one of O(image), O(images), O(file), O(files), O(task_id) and O(task_ids) is required.
    type: list
    elements: str
  file:
    description:
      - URL of a file, without user name, password and fragment.
      - Exactly one of O(image), O(images), O(file), O(files), O(task_id) and O(task_ids) is required.
    type: str
  files:
    description:
      - List of file URLs, without user names, passwords and fragments.
      - Exactly one of O(image), O(images), O(file), O(files), O(task_id) and O(task_ids) is required.
    type: list
    elements: str
  task_id:
    description:
      - ID of a task, as returned by the filter P(dragonflyoss.dragonfly.task_id#filter) or logged by a client.
      - Exactly one of O(image), O(images), O(file), O(files), O(task_id) and O(task_ids) is required.
    type: str
  task_ids:
    description:
      - List of task IDs.
      - Exactly one of O(image), O(images), O(file), O(files), O(task_id) and O(task_ids) is required.
    type: list
    elements: str
  platforms:
    description:
      - Limits an image to the blobs for these platforms, such as V(linux/amd64). Defaults to V(all).
    type: list
    elements: str
    aliases: [platform]
  digest_ids:
    description:
      - Whether to include, for each blob of an image, the task whose ID is the blob's digest. Rust clients with
        C(enableTaskIDBasedBlobDigest) use such IDs.
    type: bool
    default: false
"""
