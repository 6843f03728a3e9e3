"""Signing in at our own pages with ESN Accounts (OAuth 2 with PKCE), and out."""
