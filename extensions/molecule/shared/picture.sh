#!/bin/sh
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# All that a role could change on a host: files with their age, owner and mode, packages, and what systemd runs. What apt
# keeps of its own reading is not meant, nor what the databases of a manager write, nor locks of podman,
# which it writes when it lists images. The size of a folder changes as soon as
# something in it is copied to the upper layer of the overlay.
sudo find /etc /opt /root /usr /var/cache /var/lib -xdev \
  -not -path '*/__pycache__*' -not -path '/var/cache/apt*' -not -path '/var/lib/private*' -not -path '/var/lib/systemd*' -not -path '/var/lib/sudo*' \
  -not -path '/var/lib/mysql*' -not -path '/var/lib/postgresql*' -not -path '/var/lib/redis*' -not -path '/var/lib/containers/*.lock' \
  \( -type d -printf '%p %T@ %u:%g %m\n' -o -printf '%p %s %T@ %u:%g %m\n' \) | sort
systemctl show --property=Id,ActiveState,UnitFileState,ExecMainPID 'dfget*' 'dfdaemon*' 'dragonfly-*' containerd.service
