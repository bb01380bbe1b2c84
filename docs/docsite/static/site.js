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

  // Long words in code break after a dot, a slash or a hyphen only, see site.css.
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    if (walker.currentNode.parentElement.closest("pre, code") && /\S{20}/.test(walker.currentNode.data)) {
      texts.push(walker.currentNode);
    }
  }
  texts.forEach((text) => {
    const parts = text.data.split(/(?<=\w[./_-])(?=\w)/);
    text.replaceWith(...parts.flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part])));
  });
});
