"""Places in activities: sign-up, capacity, confirmation, cancellation."""
