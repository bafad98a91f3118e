"""The lake on this machine: its files, its SQL, its report."""
