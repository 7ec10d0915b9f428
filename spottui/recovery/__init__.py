"""The durable engine and everything that it runs."""
