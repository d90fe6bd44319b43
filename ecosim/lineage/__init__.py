"""Where harm came from: noted day by day, followed back to the shock, and told."""
