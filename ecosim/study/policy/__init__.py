"""Policy search under deep uncertainty: which package of interventions holds up, at what cost, for whom.

`spec` says what is asked, `packages` what may be done, `futures` what may come; `stage` has both lived through the
store of studies; `measures` and `front` say what follows, `search` drives it all, `page` and `figures` tell it.
"""
