"""What holds for every test."""

from hypothesis import settings

# A property is right or wrong, not fast or slow: machines that run tests are busy.
settings.register_profile("embctl", deadline=None)
settings.load_profile("embctl")
