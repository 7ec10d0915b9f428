"""One module per command, nothing heavy imported at the top."""
