"""What a study says: which factors matter, how, together with which others, and where outcomes of interest lie.

`sample` takes the runs from a study, `indices`, `effects` and `discovery` ask them, `boxes` finds the boxes, `figures`
draws, and `analysis` puts all of it together.
"""
