"""Campaign editions: SocialErasmus Weeks and their successors."""
