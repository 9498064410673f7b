"""What tests of the agent share."""

import numpy as np

from ddpg import DDPG, make_environment, train
from ddpg.environment import sizes


def numbers(network) -> np.ndarray:
    return np.concatenate([variable.numpy().ravel() for variable in network.variables])


def fill(agent: DDPG, transitions: int = 64) -> DDPG:
    random = np.random.default_rng(3)
    for _ in range(transitions):
        state, next_state = random.normal(size=(2, agent.state_size)).astype(np.float32)
        action = random.uniform(-1, 1, agent.action_size).astype(np.float32)
        agent.remember(state, action, float(random.normal()), next_state, bool(random.random() < 0.1))
    return agent


def trained(config, environment=None):
    environment = environment or make_environment(config.env, config.env_kwargs)
    agent = DDPG(*sizes(environment), config)
    return agent, list(train(agent, environment))
