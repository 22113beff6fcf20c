"""Experiments for `misissue matrix`: claims about which conditions a misissuance takes."""
