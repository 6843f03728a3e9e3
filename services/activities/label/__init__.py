"""The SocialErasmus label: what an activity must be to carry it, and whether a country asks for it."""
