"""One process of a race: gets ready, waits for the word, does its part several times, and says what came of it."""

import json
import sys

from storage.engine import make_engine
from storage.store import Store


def main() -> None:
    """Run the code given on the command line when told to."""
    code, arguments, number = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    store = Store(make_engine(arguments[0]))
    store.ping()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    names = {"store": store, "number": number, "arguments": arguments}
    exec(code, names)
    sys.stdout.write(f"{names['result']}\n")
    store.dispose()


if __name__ == "__main__":
    main()
