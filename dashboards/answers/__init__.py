"""What the pages show, worked out without any widget: read from folders, or lived in a worker process."""
