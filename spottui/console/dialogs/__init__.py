"""Questions over the screen; each is imported when it is asked."""
