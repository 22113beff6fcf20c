"""Evidence in and out: the ledger is written while the run goes on, and read whole afterwards."""
