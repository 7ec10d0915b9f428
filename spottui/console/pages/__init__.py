"""Full-screen texts that are opened from the main screen; each is imported when it is opened."""
