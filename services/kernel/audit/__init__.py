"""Audit: who did what to which object, from where, and what changed; only added to, and linked so that changes show."""
