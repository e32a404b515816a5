"""What a running MOMT run shows: progress, the tail of its logs, first estimates."""
