"""The code lists of SocialErasmus, generation beside generation, and the crosswalk between them."""
