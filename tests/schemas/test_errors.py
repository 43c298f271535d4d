"""Errors: one line, the right exit code, and safe to send between processes."""

import pickle

import pytest

from paintpipe.schemas import errors
from paintpipe.schemas.errors import PaintpipeError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PaintpipeError)]


def test_a_message_says_what_where_expected_and_todo_in_one_line() -> None:
    error = errors.PointsError("12 bytes\nleft over", where="a.bin", expected="records of 16", todo="fetch it again")
    assert str(error) == "a.bin: 12 bytes left over; expected records of 16; fetch it again"
    assert error.line() == str(error)
    assert str(errors.ConfigError("nothing else")) == "nothing else"


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_survives_pickling(kind: type[PaintpipeError]) -> None:
    error = kind("what", where="where", expected="expected", todo="todo")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.what, again.where, again.expected, again.todo) == ("what", "where", "expected", "todo")


def test_exit_codes_and_builtin_parents() -> None:
    partial = {kind for kind in KINDS if kind.exit_code == errors.PARTIAL_FAILURE == 1}
    assert partial == {errors.WorkerLostError}
    assert {kind.exit_code for kind in set(KINDS) - partial} == {errors.USER_MISTAKE} == {2}
    assert issubclass(errors.StoreError, OSError)
    assert issubclass(errors.TaxonomyError, LookupError)
    assert issubclass(errors.MissingExtraError, ImportError)
