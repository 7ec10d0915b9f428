"""The terminal console: the only room that knows Textual."""
