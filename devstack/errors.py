"""What the development stack tells a person when it can't go on."""


class StackError(Exception):
    """One sentence that says what is wrong and what to do."""
