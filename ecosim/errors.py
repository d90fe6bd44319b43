"""The one exception for what a user got wrong."""


class InputError(ValueError):
    """A mistake in what the user gave. Its text names the value, the place and the mend, and stands alone."""
