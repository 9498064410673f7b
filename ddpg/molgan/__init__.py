"""MolGAN, the first post's second system, on DDPG's equations. `python -m ddpg.molgan --help` lists its commands."""
