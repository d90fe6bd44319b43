"""Settings for every test: no window is opened, and property tests draw the same examples on every run."""

import os

from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib

settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
