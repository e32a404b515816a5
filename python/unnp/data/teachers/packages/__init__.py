"""One file for each teacher, by its name. It imports nothing of unnp, as a Python without unnp may run it, and has

``PACKAGE``   what has to be installed, as pip knows it
``LICENCE``, ``CITATION``
``WEIGHTS``   weights inside the package by name: (level of theory, zero of energy), the default first; {}: a file is needed
``open_calculator(weights, head, device)``
              an ASE calculator that gives energy, forces and stress of periodic cells in eV and A; ``weights`` is one of those
              names or a path, ``head`` a level of theory inside it or None, ``device`` ``cpu``, ``cuda`` or ``cuda:N``
``elements(calculator)``
              the atomic numbers it knows
"""
