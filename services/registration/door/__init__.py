"""The door of one activity, lent to a helper for a day: who has a place, and checking in, and nothing else."""
