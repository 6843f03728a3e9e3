"""Webhooks (Standard Webhooks 1.0): who wants to be told what, and telling them, signed, until they have heard."""
