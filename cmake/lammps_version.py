"""Print the numeric LAMMPS version of "2025.7.22.4", "22 Jul 2025" or "22 Jul 2025 - Update 4": 20250722."""

import re
import sys

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def number(version: str) -> int:
    if date := re.match(r"(\d+) ([A-Z][a-z]{2})[a-z]* (\d{4})", version):
        day, month, year = int(date[1]), MONTHS.index(date[2]) + 1, int(date[3])
    elif date := re.match(r"(\d{4})\.(\d+)\.(\d+)|(\d{4})(\d{2})(\d{2})$", version):
        year, month, day = (int(part) for part in date.groups() if part)
    else:
        return 0
    return year * 10000 + month * 100 + day


print(number(sys.argv[1] if len(sys.argv) > 1 else ""))
