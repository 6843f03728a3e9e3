"""The sample network that ships with the project: past activities, editions and an upcoming edition."""
