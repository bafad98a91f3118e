"""What several tests need: fakes, app loading, test keys made at run time."""
