# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who hits what was preheated, and why not. Start at ``prediction``, which compares hosts and seed peers.

- What the pull of a blob goes through: ``pull`` chooses the runtime. ``containerd`` (with ``hosts_toml``) and
  ``registries_conf`` (podman, CRI-O) yield a ``route`` to the client's proxy. ``client``, with ``go_client`` and
  ``rust_client``, yields the request that the client turns it into, and its task ID.
- What was preheated: ``images`` (the blobs, by results of preheats), ``seeds`` (their task IDs), ``lookup`` (what the
  registry must be queried for).
- Why the IDs differ: ``differences``. Messages are in ``reasons``; a ``setting`` is a value with the file and key that
  it comes from; ``files`` reads the facts of a host.
- ``probe`` compares the prediction with what the running client requests.

PRIVATE to the collection.
"""
