"""The weights of this project's networks, by names that all sides of a comparison use."""

import numpy as np

SNAPSHOTS = (0, 1, 10, 100, 200)
NETWORKS = ("actor", "critic", "target_actor", "target_critic")


def weights_of(agent) -> dict[str, np.ndarray]:
    """Return all weights by network, layer and place."""
    return {
        f"{name}/{layer.name}/{place}": weight
        for name in NETWORKS
        for layer in getattr(agent, name).layers
        for place, weight in enumerate(layer.get_weights())
    }
