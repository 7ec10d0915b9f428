"""The only place that speaks to Alibaba Cloud."""
