"""Laboratory results: a FastAPI service by which a clinic hands each patient his own, by asynchronous jobs."""
