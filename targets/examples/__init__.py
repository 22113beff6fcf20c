"""Ready examples: services to aim at, each described by a target.toml of its own, each with a planted defect."""
