"""The same market orders, with every order, fill and verdict kept for the tables of a run."""

from functools import partial

from _common import main
from ours_orders import work

if __name__ == "__main__":
    main(partial(work, record="nothing"))
