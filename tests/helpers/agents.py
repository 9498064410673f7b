"""Agents for tests: filled buffers, trained agents, and networks as plain arrays."""

import keras
import numpy as np
import tensorflow as tf

from ddpg import DDPG, Batch, Config, make_environment, state_and_action_size, train

NETWORKS = ("actor", "critic", "target_actor", "target_critic")


def numbers(network) -> np.ndarray:
    """Return all variables of a network as one vector."""
    return np.concatenate([variable.numpy().ravel() for variable in network.variables])


def transitions(count: int, state_size: int = 3, action_size: int = 2, seed: int = 3):
    """Yield random transitions: state, action, reward, next state, terminated."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        state, next_state = rng.normal(size=(2, state_size)).astype(np.float32)
        action = rng.uniform(-1, 1, action_size).astype(np.float32)
        yield state, action, float(rng.normal()), next_state, bool(rng.random() < 0.1)


def fill(agent: DDPG, count: int = 64) -> DDPG:
    """Let an agent remember random transitions."""
    for transition in transitions(count, agent.state_size, agent.action_size):
        agent.remember(*transition)
    return agent


def trained(config: Config, environment=None) -> tuple[DDPG, list]:
    """Train a new agent; return it and its episodes."""
    environment = environment or make_environment(config.env, config.env_kwargs)
    agent = DDPG(*state_and_action_size(environment), config)
    return agent, list(train(agent, environment))


class Linear(keras.Model):
    """w · inputs + bias: the smallest actor or critic there is."""

    def __init__(self, weights: list[float], bias: float | None = None, weight_decay: float = 0.0) -> None:
        super().__init__()
        penalty = keras.regularizers.L2(weight_decay) if weight_decay else None
        self.dense = keras.layers.Dense(1, use_bias=bias is not None, kernel_regularizer=penalty)
        self.dense.build((None, len(weights)))
        self.dense.set_weights([np.array([weights]).T] + ([np.array([bias])] if bias is not None else []))

    def call(self, *inputs, training=False):
        return self.dense(tf.concat(inputs, axis=1))


def linear_agent(weight_decay: float = 0.0) -> DDPG:
    """Q(s, a) = 2 s + 3 a + 1 and μ(s) = s / 2, targets equal, plain gradient steps of 0.1, γ = 0.9, τ = 0.01."""
    agent = DDPG(1, 1, Config(gamma=0.9, tau=0.01, hidden_units=(2, 2), buffer_size=100))
    agent.critic, agent.target_critic = (Linear([2, 3], 1, weight_decay) for _ in range(2))
    agent.actor, agent.target_actor = Linear([0.5]), Linear([0.5])
    agent.critic_optimizer, agent.actor_optimizer = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
    return agent


def batch(state, action, reward, terminated, next_state) -> Batch:
    """Return transitions of one number each as a minibatch."""
    return Batch(*(tf.constant(x, tf.float32)[:, None] for x in (state, action, reward, terminated, next_state)))
