import pytest

from recsys.cli.exits import packages_of, run
from recsys.core.errors import BundleError, ConfigError, DataError, RecsysError, TrainingError


@pytest.mark.parametrize(("kind", "code"), [(ConfigError, 2), (DataError, 3), (TrainingError, 4), (BundleError, 5)])
def test_a_users_error_is_printed_without_traceback(
    kind: type[RecsysError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise kind("a file", "none", "write one")

    assert run(command) == code
    printed = capsys.readouterr()
    assert "Expected a file." in printed.err
    assert "Remedy write one." in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit(130)])
def test_an_interrupt_ends_like_a_signal(stop: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise stop

    assert run(command) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_a_bug_keeps_its_traceback() -> None:
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(command)


@pytest.mark.parametrize(("code", "expected"), [(None, 0), (0, 0), (7, 7), ("a message", 1)])
def test_an_exit_gives_its_code(code: int | str | None, expected: int) -> None:
    def command() -> None:
        raise SystemExit(code)

    assert run(command) == expected


def test_success_is_zero() -> None:
    assert run(lambda: None) == 0


def test_a_missing_package_names_the_extra_that_has_it() -> None:
    with (
        pytest.raises(RecsysError, match=r"no module no_such_package(.|\n)*pip install '\.\[serve\]'"),
        packages_of("serve"),
    ):
        import no_such_package.inner  # noqa: F401, PLC0415 - what a command would do


def test_a_missing_module_of_ours_is_a_bug() -> None:
    with pytest.raises(ModuleNotFoundError), packages_of("serve"):
        import recsys.no_such_module  # noqa: F401, PLC0415 - what a command would do
