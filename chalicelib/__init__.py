"""What Roomgate's functions share."""
