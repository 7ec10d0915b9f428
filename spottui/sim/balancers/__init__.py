"""Load balancers (CLB, ALB, NLB): their APIs, their health checks, and the requests that go through them."""
