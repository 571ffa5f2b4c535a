"""The machine-readable side: one module per room."""
