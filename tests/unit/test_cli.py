import pytest

from recsys.cli import config_parser, read_config, run
from recsys.core.errors import BundleError, ConfigError, DataError, RecsysError, TrainingError


@pytest.mark.parametrize(("kind", "code"), [(ConfigError, 2), (DataError, 3), (TrainingError, 4), (BundleError, 5)])
def test_a_users_error_is_printed_without_traceback(
    kind: type[RecsysError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(argv: object) -> None:
        raise kind("a file", "none", "write one")

    assert run(main) == code
    printed = capsys.readouterr()
    assert "Expected a file." in printed.err
    assert "Remedy write one." in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_an_interrupt_ends_like_a_signal(capsys: pytest.CaptureFixture[str]) -> None:
    def main(argv: object) -> None:
        raise KeyboardInterrupt

    assert run(main) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_bug_keeps_its_traceback() -> None:
    def main(argv: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(main)


def test_success_is_zero_and_arguments_pass_through() -> None:
    seen = []
    assert run(seen.append, ["--config", "x.yaml"]) == 0
    assert seen == [["--config", "x.yaml"]]


def test_overrides_may_repeat(tmp_path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("name: tiny\ndata:\n  format: amazon_2018\n  interactions: [reviews.json.gz]\n")
    arguments = config_parser("").parse_args(
        ["--config", str(path), "--set", "seed=3", "training.epochs=2", "--set", "model.dim=32"]
    )
    config = read_config(arguments)
    assert (config.seed, config.training.epochs, config.model.dim) == (3, 2, 32)
