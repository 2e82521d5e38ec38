"""Brings the demo's database up to date: migrations and the cache's table, in one process to save time."""

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False)
    call_command("createcachetable")


if __name__ == "__main__":
    main()
