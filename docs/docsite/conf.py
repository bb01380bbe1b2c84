# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's configuration of the documentation site, for ``make docs``."""

from __future__ import annotations

import re

from docutils import nodes

project = "dragonflyoss.dragonfly"
copyright = "Dragonfly collection contributors"
html_title = "Dragonfly collection for Ansible"
html_short_title = "Dragonfly collection"

extensions = ["sphinx_antsibull_ext"]

html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "documentation_home_url": "index.html",
    "topbar_links": {
        "Source": "https://github.com/dragonflyoss/ansible-collection-dragonfly",
        "Dragonfly": "https://d7y.io",
    },
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_show_sphinx = False
pygments_style = "ansible"

# Pages of Ansible's own documentation to which antsibull-docs refers. Their inventory is on the web, and the build
# sends no requests.
ANSIBLE = "https://docs.ansible.com/ansible/latest"
ANSIBLE_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def link_to_ansible(app, env, node, contnode):
    """Resolve a reference to Ansible's documentation; any other unknown one stays an error."""
    target = node.get("reftarget", "")
    page = ANSIBLE_PAGES.get(target)
    if node.get("reftype") == "envvar" and target.startswith("ANSIBLE_"):
        page = f"{ANSIBLE_PAGES['ansible_configuration_settings']}#envvar-{target}"
    if target.startswith("ansible_collections.ansible.builtin."):
        page = "collections/" + target.split(".", 1)[1].replace(".", "/") + ".html"
    return nodes.reference("", "", contnode, refuri=f"{ANSIBLE}/{page}", internal=False) if page else None


def break_long_names(app, doctree, docname):
    """Let browsers break full names of modules in headings after a dot or an underscore."""
    for title in doctree.findall(nodes.title):
        for text in list(title.findall(nodes.Text)):
            text.parent.replace(text, nodes.Text(re.sub(r"(?<=\w[._])(?=\w)", "\u200b", text.astext())))


def remove_guides(app, docname, source):
    """Remove the lists of guides from the page of all plugins, because the start page has them."""
    if docname == "reference":
        text = re.sub(r"[^\n]+\n-+\n\n\.\. toctree::\n    :maxdepth: 1\n\n(?:    docsite/\w+\n)+\n", "", source[0])
        source[0] = text.replace("Dragonflyoss.Dragonfly\n======================", "Reference\n=========")


def shorten_names(app, env):
    """Show pages of plugins and roles in the sidebar and the breadcrumbs by their short names."""
    for docname, toc in env.tocs.items():
        for root in (next(iter(toc.findall(nodes.reference)), None), env.titles[docname]):
            short = re.match(r"dragonflyoss\.dragonfly\.(\S+ \w+)", root.astext()) if root else None
            if short:
                root.children = []
                root += nodes.Text(short.group(1))


def setup(app):
    """Connect the functions that change the pages."""
    app.connect("source-read", remove_guides)
    app.connect("env-updated", shorten_names)
    app.connect("missing-reference", link_to_ansible)
    app.connect("doctree-resolved", break_long_names)
