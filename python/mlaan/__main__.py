"""`python -m mlaan`: the program."""

from ._program import main

main()
