"""What befalls firms: one file a kind."""
