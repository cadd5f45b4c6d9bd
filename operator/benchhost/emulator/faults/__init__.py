"""Faults that somebody wants the emulated cloud to have. Pure: what happened and when is told, nothing is looked up."""
