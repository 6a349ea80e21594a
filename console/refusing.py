"""What somebody sees who may not do what he asked for."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config import problems
from config.middleware import CONSOLE


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page in the console, a problem document elsewhere."""
    if not request.path_info.startswith(CONSOLE):
        return problems.handler403(request, exception)
    context = {**admin.site.each_context(request), "title": "Not allowed", "said": str(exception)}
    return render(request, "console/refused.html", context, status=403)
