"""Values and rules of spot recovery, without any input or output."""
