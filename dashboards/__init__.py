"""The dashboard: seven pages that show a cascade, explain it, and let a class change it.

Started by ``ecosim dashboard`` (see docs/dashboard.md). The way in is :mod:`serve`, the pages are in :mod:`app`.
"""
