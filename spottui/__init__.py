"""A terminal console that recovers Alibaba Cloud spot instances before they are reclaimed."""

__version__ = "0.1.0"
