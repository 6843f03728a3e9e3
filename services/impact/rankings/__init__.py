"""Sections beside each other by fair measures, how many students they host, and who is not named."""
