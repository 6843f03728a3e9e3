"""What the reviewer of a label sees: the queue of a country, and automatic hints about each activity."""
