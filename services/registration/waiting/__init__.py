"""Who waits for a place, whom the organisers choose, and to whom a free place is offered."""
