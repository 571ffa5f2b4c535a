"""English as it is written in the Alps: day before month, 24 hours, weeks from Monday."""
