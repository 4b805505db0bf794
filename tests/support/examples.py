"""How many examples Hypothesis tries.

A test that wants another number of them than usual asks for it by `examples`, so that it is quick
in a quick run, too. No example has a deadline: how long it takes says nothing on a busy machine.
"""

from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, settings

USUAL = 40
"""How many a test tries that asks for no number, unless the run has `--examples`.

A run draws others each time, so that many runs try many; where the environment has `CI`, it draws
the same each time.
"""

QUICK = 10
LONG = 10
"""How many times as many examples a long run tries."""

# On top of what is set already, such as Hypothesis's own profile for continuous integration.
settings.register_profile("thorough", settings(), deadline=None, max_examples=USUAL)
settings.register_profile("quick", settings(), deadline=None, max_examples=QUICK)
settings.register_profile(
    "long", settings(), deadline=None, max_examples=LONG * settings().max_examples
)

FIND = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""For a test that something is found: it is not made short, which takes most of the time."""


def be_thorough(usual: int = USUAL) -> None:
    """Try as many examples as each test asks for, or else `usual`."""
    settings.register_profile("thorough", settings.get_profile("thorough"), max_examples=usual)
    settings.load_profile("thorough")


def be_quick() -> None:
    """Try few examples in all tests whose files are imported from now on."""
    settings.load_profile("quick")


def be_long() -> None:
    """Try many examples in all tests whose files are imported from now on."""
    settings.load_profile("long")


def examples(
    count: int,
    *,
    stateful_step_count: int = 50,
    suppress_health_check: Sequence[HealthCheck] = (),
) -> settings:
    """Return the settings of a test that tries `count` examples; fewer or more as the run asks."""
    if settings.get_current_profile_name() == "quick":
        count = min(count, QUICK)
    if settings.get_current_profile_name() == "long":
        count *= LONG
    return settings(
        max_examples=count,
        stateful_step_count=stateful_step_count,
        suppress_health_check=suppress_health_check,
    )
