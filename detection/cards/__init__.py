"""From the card to safe frames; one verb or one pure idea per module."""
