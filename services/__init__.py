"""The three services of SocialErasmus, the events between them and the mechanism under them."""

import gc

# Nearly all that importing makes stays. Looking through it again and again took a fifth of the start.
gc.set_threshold(50_000, 20, 20)
