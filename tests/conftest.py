"""What every test may ask for."""

pytest_plugins = ["tests.emulators.ministack", "tests.emulators.localemu", "tests.emulators.moto"]
