"""What can be typed after ``ecosim``: one file a command, read by `ecosim.cli`; heavy imports wait for the call."""
