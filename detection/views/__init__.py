"""Pages of cards, deployments and pictures: one module each."""
