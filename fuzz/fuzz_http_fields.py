"""Any values of fields are read as lists, entity tags and combined ones, and never raise anything.

Lines of the input are values of fields of one name.
"""

from collections.abc import Hashable

from fuzz import harness
from trio_sio.protocol.http.entity_tags import has_tag
from trio_sio.protocol.http.field_list import elements, has_element
from trio_sio.protocol.http.other_protocols import explain
from trio_sio.protocol.http.repeated_fields import combine

NAME = "http_fields"
TAG = '"a,b"'


def fuzz(data: bytes) -> Hashable:
    """Read the values in each way."""
    values = data.decode("latin-1").split("\n")
    found = elements(values)
    for one in found:
        assert one == one.strip(" \t")
        assert one
        assert "," not in one
        assert has_element(values, one.lower()) or one.lower().lower() != one.lower()
    # It is the same whether a list is in one field or in several.
    assert elements([combine("accept", values)]) == found
    assert combine("host", values) == values[0]
    weakly, strongly = has_tag(values, TAG), has_tag(values, TAG, strongly=True)
    assert weakly or not strongly
    assert has_tag(values, f"W/{TAG}") == weakly
    if weakly:
        assert TAG in ", ".join(values) or "*" in values[0]
    return (min(len(found), 4), weakly, strongly, explain(data)[:12], len(values) > 1)


if __name__ == "__main__":
    harness.main(fuzz, NAME)
