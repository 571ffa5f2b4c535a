"""From settled frames to figures."""
