"""Which firms there are and what they need: one file a kind."""
