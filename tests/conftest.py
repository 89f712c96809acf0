"""What every test may ask for."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "noisy machine",
    deadline=None,  # nothing here is judged by how long it takes
    suppress_health_check=[HealthCheck.too_slow],
    # Where a change is judged, the same examples each time: what turns red there is the change and not the dice.
    # Whoever runs the tests by hand throws new ones.
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("noisy machine")

pytest_plugins = [
    "tests.emulators.aws_cli",
    "tests.emulators.localemu",
    "tests.emulators.ministack",
    "tests.emulators.moto",
]
