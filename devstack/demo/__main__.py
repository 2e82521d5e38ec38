"""python -m devstack.demo load    make the demo's data, or bring its usage up to now
python -m devstack.demo show    print who can sign in"""

import argparse

import django

django.setup()

# Models can be imported only now.
from devstack.demo import load, sign_ins  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m devstack.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["load", "show"])
    if parser.parse_args().action == "load":
        load.load()
    else:
        print(sign_ins.text())


if __name__ == "__main__":
    main()
