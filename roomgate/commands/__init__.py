"""One module for each group of commands, and what all commands share."""
