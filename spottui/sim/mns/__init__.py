"""Message Service (MNS, SMQ): queues, their wire format and their HTTP interface."""
