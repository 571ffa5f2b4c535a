"""From machine boxes to settled frames."""
