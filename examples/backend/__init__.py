"""A mini-program backend to begin with: WeChat login, entries from Roomgate, who is in my room."""
