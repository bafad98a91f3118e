"""The operator's command line; never packaged into a function."""
