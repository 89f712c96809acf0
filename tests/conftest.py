"""What every test may ask for."""

from hypothesis import HealthCheck, settings

settings.register_profile("noisy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy machine")  # nothing here is judged by how long it takes

pytest_plugins = [
    "tests.emulators.aws_cli",
    "tests.emulators.localemu",
    "tests.emulators.ministack",
    "tests.emulators.moto",
]
