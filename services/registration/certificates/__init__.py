"""Certificates of volunteering hours: issued from attendance, verified by anybody, revocable."""
