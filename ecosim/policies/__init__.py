"""What can be done about a shock: one file a policy, none yet."""
