# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Predict whether hosts hit preheated content. Start at ``prediction``, which compares hosts and seed peers.

- The path of a pull: ``pull`` chooses the runtime. ``containerd`` (with ``hosts_toml``) and
  ``registries_conf`` (podman, CRI-O) yield a ``route`` to the client's proxy. ``client``, with ``go_client`` and
  ``rust_client``, yields the request of the client, and its task ID.
- The preheated content: ``images`` (blobs from results of preheats), ``seeds`` (their task IDs), ``lookup`` (requests
  to the registry).
- Differences between the IDs: ``differences``. Messages are in ``reasons``; a ``setting`` is a value with its file
  and key; ``files`` parses the facts of a host.
- ``probe`` compares the prediction with the request of the running client.
"""
