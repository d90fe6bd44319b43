"""What makes firms small businesses: one file a mechanism, none yet."""
