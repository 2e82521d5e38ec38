"""What `make` runs once `.venv` is there."""

import sys

from devstack import lint, testing
from devstack.launcher import Demo
from devstack.messages import StackError, say


def run(command: str, arguments: list[str]) -> int:
    """Run one of the Makefile's commands. Returns the exit code."""
    match command:
        case "demo":
            Demo().run()
        case "demo-reset":
            Demo().reset()
            say("The demo's data is gone; `make demo` makes it anew")
        case "shell":
            return Demo().shell()
        case "test":
            return testing.test(arguments)
        case "test-full":
            return testing.test_full(arguments)
        case "bench":
            return testing.bench(arguments)
        case "lint":
            return lint.lint()
        case "format":
            return lint.format_code()
        case _:
            raise StackError(f"There is no command {command}: see `make help`.")
    return 0


def main() -> None:
    try:
        sys.exit(run(sys.argv[1], sys.argv[2:]))
    except StackError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
