"""What is known of a run while it goes on, and how it is told; decides nothing."""
