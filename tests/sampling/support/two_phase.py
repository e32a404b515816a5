"""Two phases whose density of states, and with it all thermodynamics, is known in closed form; logs drawn from it.

Phase p (liquid 0, solid 1) has ``n_p(H) = g_p (H - H_p)^(nu_p - 1) / Gamma(nu_p)`` at the reference pressure, hence

    Z_p = g_p (k T)^nu_p exp(-H_p / k T) ,   <H>_p = H_p + nu_p k T ,   C_p = nu_p k (+ 3/2 N k of the momenta)

and a volume ``v_p + a_p (H - H_p) + noise``. Samples come from the mixture of all (temperature, phase) with equal shares:

    rho(H, p) ~ n_p(H) sum_l exp(-b_l H) / Z_p(T_l) = n_p(H) exp{-b0 (H + Vb)}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import lgamma
from pathlib import Path

import numpy as np

BOLTZMANN = 8.617333262e-05
NKTV2P = 1602176.6
TITLES = "step energy volume enthalpy order bias effective_temperature order_force updates round_trips"


@dataclass(frozen=True)
class TwoPhase:
    """The model; defaults resemble 108 atoms of Al, melting near 940 K.

    Attributes:
        n_atoms: N.
        latent: H_liquid - H_solid [eV/atom] at T = 0.
        melting_guess: temperature [K] at which the phases would balance if nu were the same.
        nu: exponents per atom, liquid and solid.
        volume: v_p [A^3/atom], expansion: a_p [A^3/eV], noise [A^3].
        pressure: P0 [bar], None for constant volume.
        temperature: T0 [K].
        ladder: T_l [K].
        persistence: probability that a row keeps the phase of the row before without a draw.
        order_centres, order_widths: mean and spread of s in liquid and solid.
    """

    n_atoms: int = 108
    latent: float = 0.11
    melting_guess: float = 940.0
    nu: tuple[float, float] = (1.6, 1.5)
    volume: tuple[float, float] = (18.6, 17.4)
    expansion: tuple[float, float] = (0.0, 0.0)
    noise: float = 15.0
    pressure: float | None = 0.0
    temperature: float = 900.0
    ladder: tuple[float, ...] = tuple(np.linspace(650.0, 1400.0, 12))
    persistence: float = 0.98
    order_centres: tuple[float, float] = (0.05, 0.6)
    order_widths: tuple[float, float] = (0.03, 0.06)

    @property
    def exponents(self) -> np.ndarray:
        return self.n_atoms * np.array(self.nu)

    @property
    def ground(self) -> np.ndarray:
        """H_p [eV] of liquid and solid."""
        return self.n_atoms * np.array([-3.4 + self.latent, -3.4])

    @property
    def log_g(self) -> np.ndarray:
        """ln g_p, so that without a difference of nu the phases balance at ``melting_guess``."""
        kt = BOLTZMANN * self.melting_guess
        return np.array([self.n_atoms * self.latent / kt - (self.exponents[0] - self.exponents[1]) * np.log(kt), 0.0])

    def log_z(self, temperature: float, pressure_change: float = 0.0) -> np.ndarray:
        """ln Z_p (2,) at T and at P0 + pressure_change [eV/A^3], the latter for expansion 0."""
        b = 1 / (BOLTZMANN * temperature)
        x = b * pressure_change
        volumes = self.n_atoms * np.array(self.volume)
        return self.log_g - self.exponents * np.log(b) - b * self.ground - x * volumes + 0.5 * (x * self.noise) ** 2

    def difference(self, temperature: float, pressure_change: float = 0.0) -> float:
        """dG(solid - liquid) [eV]."""
        log_z = self.log_z(temperature, pressure_change)
        return float(-BOLTZMANN * temperature * (log_z[1] - log_z[0]))

    def melting(self, pressure_change: float = 0.0) -> float:
        """Tm [K] by bisection of the closed form."""
        low, high = 300.0, 3000.0
        for _ in range(100):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.difference(middle, pressure_change) < 0 else (low, middle)
        return low

    def enthalpies(self, temperature: float) -> np.ndarray:
        """<H>_p / N (2,) [eV/atom] at P0."""
        return (self.ground + self.exponents * BOLTZMANN * temperature) / self.n_atoms

    def volumes(self, temperature: float) -> np.ndarray:
        """<V>_p / N (2,) [A^3/atom] at P0."""
        return (
            np.array(self.volume) + np.array(self.expansion) * self.exponents * BOLTZMANN * temperature / self.n_atoms
        )

    def average_enthalpy(self, temperature: float) -> tuple[float, float]:
        """<H> / N [eV/atom] and the configurational heat capacity / N k, over both phases."""
        log_z = self.log_z(temperature)
        share = np.exp(log_z - log_z.max())
        share /= share.sum()
        mean = self.n_atoms * self.enthalpies(temperature)
        kt = BOLTZMANN * temperature
        total = float(share @ mean)
        variance = float(share @ (self.exponents * kt**2 + mean**2)) - total**2
        return total / self.n_atoms, variance / kt**2 / self.n_atoms

    def log_density(self, enthalpy: np.ndarray) -> np.ndarray:
        """ln sum_p n_p(H), for H above both H_p."""
        terms = [
            log_g + (nu - 1) * np.log(enthalpy - ground) - lgamma(nu)
            for log_g, nu, ground in zip(self.log_g, self.exponents, self.ground, strict=True)
        ]
        return np.logaddexp(*terms)

    def bias(self, enthalpy: np.ndarray, phase: np.ndarray) -> np.ndarray:
        """Vb (n,) [eV]."""
        logs = np.stack([-enthalpy / (BOLTZMANN * t) - self.log_z(t)[phase] for t in self.ladder])
        top = logs.max(0)
        kt0 = BOLTZMANN * self.temperature
        return -enthalpy - kt0 * (top + np.log(np.exp(logs - top).sum(0)))

    def draw(self, n: int, seed: int, phases: tuple[int, ...] = (0, 1)) -> dict[str, np.ndarray]:
        """Draw n rows of one walker; ``phases`` are those it visits."""
        rng = np.random.default_rng(seed)
        fresh = rng.random(n) >= self.persistence
        fresh[0] = True
        phase = rng.choice(phases, n)[np.maximum.accumulate(np.where(fresh, np.arange(n), 0))]
        kt = BOLTZMANN * rng.choice(self.ladder, n)
        enthalpy = self.ground[phase] + kt * rng.gamma(self.exponents[phase])
        volume = self.n_atoms * np.array(self.volume)[phase] + self.noise * rng.standard_normal(n)
        volume += np.array(self.expansion)[phase] * (enthalpy - self.ground[phase])
        order = np.array(self.order_centres)[phase] + np.array(self.order_widths)[phase] * rng.standard_normal(n)
        p0 = (self.pressure or 0.0) / NKTV2P
        return {
            "step": 10.0 * np.arange(n),
            "energy": enthalpy - p0 * volume,
            "volume": volume,
            "enthalpy": enthalpy,
            "order": np.abs(order),
            "bias": self.bias(enthalpy, phase),
            "effective_temperature": np.full(n, self.temperature),
            "order_force": np.zeros(n),
            "updates": np.full(n, 100.0),
            "round_trips": np.zeros(n),
        }

    def header(self, **changes: object) -> dict[str, object]:
        """The second line of a log."""
        fields: dict[str, object] = {
            "mode": "opes",
            "needs_freezing": False,
            "order": "sk",
            "temperature": self.temperature,
            "pressure": self.pressure,
            "atoms": self.n_atoms,
            "boltzmann": BOLTZMANN,
            "nktv2p": NKTV2P,
            "units": "metal",
        }
        return fields | changes


def log_text(columns: dict[str, np.ndarray], header: dict[str, object]) -> str:
    """The text of a log as fix momt writes it."""
    rows = np.column_stack([columns[name] for name in TITLES.split()])
    lines = [" ".join([f"{row[0]:.0f}", *(f"{x:.17g}" for x in row[1:])]) for row in rows]
    return "\n".join(["# unnp momt log 1", f"# {json.dumps(header)}", f"# {TITLES}", *lines]) + "\n"


def write_logs(
    folder: Path, model: TwoPhase, n: int, seed: int, walkers: int = 1, phases: tuple[int, ...] = (0, 1)
) -> list[Path]:
    """Write one log of n rows per walker; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"momt.{walker}.log" for walker in range(walkers)]
    for walker, path in enumerate(paths):
        path.write_text(log_text(model.draw(n, 1000 * seed + walker, phases), model.header()))
    return paths
