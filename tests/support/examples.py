"""How many examples Hypothesis tries.

A test that wants another number of them than usual asks for it by `examples`, so that it is quick
in a quick run, too. No example has a deadline: how long it takes says nothing on a busy machine.
"""

from collections.abc import Sequence

from hypothesis import HealthCheck, settings

QUICK = 10

# On top of what is set already, such as Hypothesis's own profile for continuous integration.
settings.register_profile("thorough", settings(), deadline=None)
settings.register_profile("quick", settings(), deadline=None, max_examples=QUICK)


def be_thorough() -> None:
    """Try as many examples as each test asks for, or else as many as Hypothesis does."""
    settings.load_profile("thorough")


def be_quick() -> None:
    """Try few examples in all tests whose files are imported from now on."""
    settings.load_profile("quick")


def examples(
    count: int,
    *,
    stateful_step_count: int = 50,
    suppress_health_check: Sequence[HealthCheck] = (),
) -> settings:
    """Return the settings of a test that tries `count` examples, or fewer in a quick run."""
    if settings.get_current_profile_name() == "quick":
        count = min(count, QUICK)
    return settings(
        max_examples=count,
        stateful_step_count=stateful_step_count,
        suppress_health_check=suppress_health_check,
    )
