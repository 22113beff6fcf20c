"""Any HTTP service that hands people their documents, described in a TOML file."""
