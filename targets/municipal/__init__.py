"""The split AP/DB deployment of the 2023 release: real processes, a real PostgreSQL, real image files."""
