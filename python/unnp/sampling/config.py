"""What the analysis of MOMT samples is asked to do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, FiniteFloat

from unnp.config import Config

Positive = Annotated[FiniteFloat, Field(gt=0)]


class AnalysisConfig(Config):
    """The analysis of MOMT samples. Units: K and GPa for LAMMPS units metal, those of the run otherwise."""

    temperatures: list[Positive] | None = None
    """temperatures at which averages are listed [K]; default: about ten round values inside what the samples support"""
    pressure: FiniteFloat | None = None
    """pressure at which averages and melting point are taken; default: the pressure of the run"""
    burn_in: float = Field(default=0.1, ge=0, lt=1)
    """fraction of each walker's rows that is dropped at the beginning"""
    dividing_order: FiniteFloat | None = None
    """order parameter that divides liquid (below) from solid; default: the least likely value between the two, at the
    melting point"""
    min_passages: int = Field(default=10, ge=2)
    """passages between solid and liquid, of all walkers together, below which no melting point is given"""
    min_effective_fraction: float = Field(default=0.02, gt=0, lt=1)
    """effective sample size over the number of rows, below which nothing is given at a temperature"""
    grid: int = Field(default=61, ge=11, le=10_000)
    """number of temperatures in the curves"""
    enthalpy_bins: int | None = Field(default=None, ge=10, le=10_000)
    """enthalpy bins for the density of states; default: as wide as a quarter of a harmonic solid's thermal width"""
    order_bins: int = Field(default=60, ge=10, le=1000)
    """bins of the order parameter, for the density of states and the free-energy profile"""
    replicas: int = Field(default=200, ge=20, le=100_000)
    """replicas in the block bootstrap that error bars come from"""
    seed: int = Field(default=1, ge=0)
    """seed for the bootstrap"""
