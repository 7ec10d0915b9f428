"""The only package that calls Alibaba Cloud."""
