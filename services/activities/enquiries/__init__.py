"""Who wants to become a partner, and the mailboxes of sections and countries that hear of it."""
