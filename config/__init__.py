"""Wiring: settings, urls, the process and the API's edge."""
