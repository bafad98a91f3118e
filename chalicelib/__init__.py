"""What Roomgate's functions share: one room of the house per package."""
