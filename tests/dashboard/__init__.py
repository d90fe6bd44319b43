"""Tests of the dashboard, at three levels: drawn without a browser, in Chromium, and by axe-core."""
