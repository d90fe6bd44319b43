"""The seven pages. Each module has ``Page``, ``TITLE`` and ``ICON``; :mod:`app` lists them."""
