"""What the development stack tells the person who runs it."""


class StackError(Exception):
    """One sentence that says what is wrong and what to do."""


def say(step: str) -> None:
    """One line for a step that begins."""
    print(f"- {step}", flush=True)
