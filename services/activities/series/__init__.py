"""Series: the dates of an activity that takes place more than once, each an activity of its own."""
