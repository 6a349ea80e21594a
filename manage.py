#!/usr/bin/env python
"""Django's entry point."""

from config.manage import main

if __name__ == "__main__":
    main()
