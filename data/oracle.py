#!/usr/bin/env python3
"""The rankings that rankd's demo boards must show, computed without rankd.

Usage:
    python3 data/oracle.py BOARD     print the whole ranking: rank <TAB> member <TAB> score
    python3 data/oracle.py --all     print every ranking: board <TAB> rank <TAB> member <TAB> score
    python3 data/oracle.py --list    print the names of the boards
    python3 data/oracle.py --check   compare a few rankings with published records

It reads data/baseball/batting.csv.gz row by row, as the demo writes it, and shares no code with
rankd or with derive.py. The rules it follows:

* sum:    each row adds its number to the member's score.
* best:   each row raises the member's score, if it is higher.
* latest: the row is the score (a season's board has one row for each member).
* A member's first row creates it, even with score 0. Every other row that leaves the score as it
  is also leaves the member's time as it is.
* Order: score descending, then who reached the present score earlier, then the member's bytes.
"""

import argparse
import csv
import functools
import gzip
import pathlib
import signal
import sys

BATTING = pathlib.Path(__file__).resolve().parent / "baseball" / "batting.csv.gz"
SEASONS = range(1871, 2021)
SEASON_BOARD_PREFIX = "home-runs-"
# Board: operator and column.
BOARDS = {
    "career-home-runs": ("sum", "home_runs"),
    "season-home-runs": ("best", "home_runs"),
    "career-hits": ("sum", "hits"),
    "career-stolen-bases": ("sum", "stolen_bases"),
}
# The first places of some boards, as record books have them through the season of 2020.
RECORDS = {
    "career-home-runs": [
        (1, "bondsba01", 762), (2, "aaronha01", 755), (3, "ruthba01", 714),
        (4, "rodrial01", 696), (5, "pujolal01", 662), (6, "mayswi01", 660),
    ],
    "season-home-runs": [
        (1, "bondsba01", 73), (2, "mcgwima01", 70), (3, "sosasa01", 66),
        (4, "marisro01", 61), (5, "ruthba01", 60), (6, "stantmi03", 59),
        # Three with 58: in 1932, in 1938 and in 2006.
        (7, "foxxji01", 58), (8, "greenha01", 58), (9, "howarry01", 58),
    ],
    "career-hits": [(1, "rosepe01", 4256), (3, "aaronha01", 3771)],
    "career-stolen-bases": [(1, "henderi01", 1406), (2, "brocklo01", 938)],
    "home-runs-1961": [(1, "marisro01", 61), (2, "mantlmi01", 54)],
}


def board_names():
    """Every board, the four over all seasons first."""
    return [*BOARDS, *(f"{SEASON_BOARD_PREFIX}{season}" for season in SEASONS)]


@functools.cache
def rows():
    """The shipped rows as (player, season, statistics by column), in the order of the file."""
    with gzip.open(BATTING, "rt", encoding="ascii", newline="") as text:
        return [(row["player"], int(row["season"]), row) for row in csv.DictReader(text)]


def writes(board):
    """The board's operator, and the writes (member, time, number) it gets; a season is a time."""
    if board in BOARDS:
        operator, column = BOARDS[board]
        return operator, [(player, season, int(row[column])) for player, season, row in rows()]
    only = int(board.removeprefix(SEASON_BOARD_PREFIX))
    chosen = [(p, s, int(row["home_runs"])) for p, s, row in rows() if s == only]
    return "latest", chosen


def resolve(operator, old, number):
    """The score after a write, where `old` is the score before it."""
    if operator == "sum":
        return old + number
    if operator == "best":
        return max(old, number)
    return number


def ranking(board):
    """The board's members as (rank, member, score), first rank first."""
    operator, board_writes = writes(board)
    state = {}
    for member, time, number in board_writes:
        if member not in state:
            state[member] = (number, time)
            continue
        score, _ = state[member]
        new = resolve(operator, score, number)
        if new != score:
            state[member] = (new, time)
    order = sorted(state, key=lambda m: (-state[m][0], state[m][1], m.encode()))
    return [(rank, member, state[member][0]) for rank, member in enumerate(order, start=1)]


def check():
    """Compare with the record books; the number of places that differ."""
    wrong = 0
    for board, places in RECORDS.items():
        found = ranking(board)
        for place in places:
            if place not in found:
                wrong += 1
                print(f"{board}: expected {place}, got {found[place[0] - 1]}")
        print(f"{board}: {len(found)} members, {len(places)} places compared")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("board", nargs="?", help="the name of a board")
    what.add_argument("--all", action="store_true", help="print every ranking, board first")
    what.add_argument("--list", action="store_true", help="print the names of the boards")
    what.add_argument("--check", action="store_true", help="compare with published records")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(board_names()))
    elif arguments.all:
        for board in board_names():
            for rank, member, score in ranking(board):
                print(f"{board}\t{rank}\t{member}\t{score}")
    elif arguments.check:
        sys.exit(1 if check() else 0)
    elif arguments.board not in board_names():
        sys.exit(f"oracle.py: no board {arguments.board!r}; --list prints the boards")
    else:
        for rank, member, score in ranking(arguments.board):
            print(f"{rank}\t{member}\t{score}")


if __name__ == "__main__":
    # `oracle.py BOARD | head` ends this program quietly.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
