"""``python -m promsnmp``."""

from promsnmp.cli.main import main

if __name__ == "__main__":
    main()
