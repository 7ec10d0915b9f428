"""The brain of a table, without any screen: columns, rows, filter, sort, cursor by key and the diff of two snapshots."""
