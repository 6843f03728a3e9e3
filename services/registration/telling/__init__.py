"""What people are told who signed up: that the activity moved, and that it is tomorrow."""
