"""Identity-free facts of verified reports, and the roll-ups into which they are folded."""
