"""What a run has to say: sentences and a figure."""
