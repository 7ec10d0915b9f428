"""The brain of a table, without a screen: columns, rows, filter, sort, cursor by key and the diff of two snapshots."""
