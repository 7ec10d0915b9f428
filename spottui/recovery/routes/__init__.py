"""One file per way by which an instance comes back."""
