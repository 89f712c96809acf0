"""Where records come from: AWS, trail files, the demo."""
