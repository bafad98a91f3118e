"""What Roomgate costs, side by side with peers: ``python -m bench``."""
