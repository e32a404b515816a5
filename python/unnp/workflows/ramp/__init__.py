"""Heating and cooling at constant rates, and the limits of the phases that they show."""
