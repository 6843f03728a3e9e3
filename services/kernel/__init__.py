"""Mechanism that every service needs and no service owns; no word of the domain is in it."""
