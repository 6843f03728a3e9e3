"""What organisers report after an activity, its checks and its verification."""
