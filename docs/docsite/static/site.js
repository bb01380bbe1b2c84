/* Copyright (c) 2026, Dragonfly collection contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Note in each cell the name of its column, which site.css shows on phones. */
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".rst-content table.docutils:not(.ansible-option-table)").forEach((table) => {
    const columns = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    table.querySelectorAll("tbody tr").forEach((row) => {
      [...row.cells].forEach((cell, index) => {
        if (columns[index]) cell.dataset.column = columns[index];
      });
    });
  });
});
