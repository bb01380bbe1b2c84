#!/bin/sh
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Print the state that a role could change on a host: files with their times, owners and modes, packages, and the units
# of systemd. Ignored are the caches of apt, the files of the manager's databases, and the locks of podman, which it
# writes when it lists images. The size of directories is ignored, because it changes when the overlay copies a file to
# its upper layer.
sudo find /etc /opt /root /usr /var/cache /var/lib -xdev \
  -not -path '*/__pycache__*' -not -path '/var/cache/apt*' -not -path '/var/lib/private*' -not -path '/var/lib/systemd*' -not -path '/var/lib/sudo*' \
  -not -path '/var/lib/mysql*' -not -path '/var/lib/postgresql*' -not -path '/var/lib/redis*' -not -path '/var/lib/containers/*.lock' \
  \( -type d -printf '%p %T@ %u:%g %m\n' -o -printf '%p %s %T@ %u:%g %m\n' \) | sort
systemctl show --property=Id,ActiveState,UnitFileState,ExecMainPID 'dfget*' 'dfdaemon*' 'dragonfly-*' containerd.service
