"""The Locust side: users, leases, the burst schedule and the plug-in that makes a Locust run a judged run."""
