"""Registration: places, people and attendance."""
