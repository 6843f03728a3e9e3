"""The people who sign up: their mailbox, their consent, the links that are mailed to them."""
