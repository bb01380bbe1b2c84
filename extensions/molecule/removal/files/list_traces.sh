#!/bin/sh
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# List the files, units, ports and content of the roles, one per line, and report if containerd was restarted since the
# first call.
containerd=/run/containerd-before
[ -e "$containerd" ] || systemctl show --property=ExecMainPID containerd.service > "$containerd"
systemctl show --property=ExecMainPID containerd.service | diff - "$containerd"
find /etc/containerd/certs.d -name 'hosts.toml*'
find /etc/dragonfly -type f -not -name '*~'
find /etc/systemd /lib/systemd -name 'df*' -not -type d
find /etc/systemd -path '*/df*.d/*'
find /usr/bin /usr/local/bin /opt \( -name dfget -o -name dfdaemon \) -not -type d
systemctl list-units --no-legend --plain --all 'df*'
ss --listening --tcp --numeric --processes --no-header | grep -E 'dfget|dfdaemon|python'
find /var/lib/dragonfly -maxdepth 1 -name stand-in
