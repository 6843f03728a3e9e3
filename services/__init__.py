"""The three services of SocialErasmus, the events between them and the mechanism under them."""
