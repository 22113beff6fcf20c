"""Systems under test. The harness never imports this package; it is handed a target by name."""
