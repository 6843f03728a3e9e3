"""What impact knows of the other services: activities, sections, editions and attendances, as their events tell."""
