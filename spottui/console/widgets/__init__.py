"""What the main screen is built of: tables, panels and lines."""
