"""Template filters for everything that agents wrote: texts, names, JSON."""

from django import template

from console import agent_text, json_tree

register = template.Library()
register.filter("visible", agent_text.visible)
register.filter("plain", agent_text.plain)
register.filter("brief", agent_text.brief)
register.filter("prose", agent_text.prose)
register.filter("folded", agent_text.folded)
register.filter("code", agent_text.code_block)
register.filter("split_title", agent_text.split_title)
register.filter("tree", json_tree.render_tree)
register.filter("context_tree", json_tree.render_context)
register.filter("value", json_tree.render_value)
