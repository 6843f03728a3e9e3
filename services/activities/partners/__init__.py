"""The organisations that take part in activities: who they are, and that each of them is known once."""
