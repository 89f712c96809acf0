"""Every way of running: what the settings ask for is built, run and ended."""
