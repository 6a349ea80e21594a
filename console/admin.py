"""The admin site's first page. Apps register theirs in an admin.py of their own, built on console.lists and console.panels."""

from django.contrib import admin

admin.site.index_template = "console/index.html"  # Not admin/index.html: in a wheel, the theme's own would come before it.
