"""What is known of people: the register of it, what they may ask for, and how they are forgotten."""
