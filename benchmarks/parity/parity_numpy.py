"""The paper's settings a second time, for `parity.py`: one update in NumPy, with gradients written out by hand.

Written from the paper's Algorithm 1 and sections 3 and 7, and from the documented behavior of Keras's layers and Adam;
it shares no code with the package. Weights have the names of `parity_ours.py`.
"""

import numpy as np

GAMMA, TAU = 0.99, 0.001
DECAY = float(np.float32(0.01))  # Keras rounds it
RATES = {"actor": 1e-4, "critic": 1e-3}
BN_EPSILON, MOMENTUM = 1e-3, 0.99
ADAM_EPSILON, BETAS = 1e-7, (0.9, 0.999)
ROUNDED = tuple(float(np.float32(beta)) for beta in BETAS)  # as Keras corrects the bias with

Weights = dict[str, np.ndarray]


def normalize(x: np.ndarray, weights: Weights, name: str) -> tuple[np.ndarray, tuple]:
    """Normalize over the minibatch and move the running averages; return the output and what the gradient needs."""
    mean, variance = x.mean(axis=0), x.var(axis=0)
    for place, value in ((2, mean), (3, variance)):
        weights[f"{name}/{place}"] = MOMENTUM * weights[f"{name}/{place}"] + (1 - MOMENTUM) * value
    deviation = np.sqrt(variance + BN_EPSILON)
    scaled = (x - mean) / deviation
    return weights[f"{name}/0"] * scaled + weights[f"{name}/1"], (scaled, deviation, name)


def normalize_back(slope: np.ndarray, cache: tuple, weights: Weights, gradients: Weights) -> np.ndarray:
    """Return the slope at the input of a normalization; store those of its weights."""
    scaled, deviation, name = cache
    gradients[f"{name}/0"], gradients[f"{name}/1"] = (slope * scaled).sum(axis=0), slope.sum(axis=0)
    slope = slope * weights[f"{name}/0"]
    return (slope - slope.mean(axis=0) - scaled * (slope * scaled).mean(axis=0)) / deviation


def dense(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    """Return x W + b."""
    return x @ weights[f"{name}/0"] + weights[f"{name}/1"]


def dense_back(slope: np.ndarray, x: np.ndarray, weights: Weights, name: str, gradients: Weights) -> np.ndarray:
    """Return the slope at the input of a dense layer; store those of its weights."""
    gradients[f"{name}/0"], gradients[f"{name}/1"] = x.T @ slope, slope.sum(axis=0)
    return slope @ weights[f"{name}/0"].T


def actor(state: np.ndarray, weights: Weights) -> tuple[np.ndarray, tuple]:
    """Return μ(s) and what its gradient needs."""
    x0, n0 = normalize(state, weights, "normalize_0")
    y1, n1 = normalize(dense(x0, weights, "hidden_1"), weights, "normalize_1")
    x1 = np.maximum(y1, 0)
    y2, n2 = normalize(dense(x1, weights, "hidden_2"), weights, "normalize_2")
    x2 = np.maximum(y2, 0)
    action = np.tanh(dense(x2, weights, "action"))
    return action, (x0, n0, n1, x1, n2, x2, action)


def actor_back(slope: np.ndarray, cache: tuple, weights: Weights) -> Weights:
    """Return the gradient of the actor's weights from the slope at its action."""
    x0, n0, n1, x1, n2, x2, action = cache
    gradients: Weights = {}
    slope = dense_back(slope * (1 - action**2), x2, weights, "action", gradients)
    slope = normalize_back(slope * (x2 > 0), n2, weights, gradients)
    slope = dense_back(slope, x1, weights, "hidden_2", gradients)
    slope = normalize_back(slope * (x1 > 0), n1, weights, gradients)
    slope = dense_back(slope, x0, weights, "hidden_1", gradients)
    normalize_back(slope, n0, weights, gradients)
    return gradients


def critic(state: np.ndarray, action: np.ndarray, weights: Weights) -> tuple[np.ndarray, tuple]:
    """Return Q(s, a), the action entering at the second layer, and what its gradient needs."""
    x0, n0 = normalize(state, weights, "normalize_0")
    y1, n1 = normalize(dense(x0, weights, "hidden_1"), weights, "normalize_1")
    x1 = np.concatenate([np.maximum(y1, 0), action], axis=1)
    x2 = np.maximum(dense(x1, weights, "hidden_2"), 0)
    return dense(x2, weights, "value"), (x0, n0, n1, x1, x2, action.shape[1])


def critic_back(slope: np.ndarray, cache: tuple, weights: Weights) -> tuple[Weights, np.ndarray]:
    """Return the gradient of the critic's weights and of the action, from the slope at its value."""
    x0, n0, n1, x1, x2, action_size = cache
    gradients: Weights = {}
    slope = dense_back(slope, x2, weights, "value", gradients)
    slope = dense_back(slope * (x2 > 0), x1, weights, "hidden_2", gradients)
    hidden, action = slope[:, :-action_size], slope[:, -action_size:]
    hidden = normalize_back(hidden * (x1[:, :-action_size] > 0), n1, weights, gradients)
    hidden = dense_back(hidden, x0, weights, "hidden_1", gradients)
    normalize_back(hidden, n0, weights, gradients)
    return gradients, action


class Adam:
    """Adam as Keras computes it.

    Args:
        rate: Its step size.
    """

    def __init__(self, rate: float) -> None:
        self.rate, self.step = rate, 0
        self.moments: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def apply(self, gradients: Weights, weights: Weights) -> None:
        """Change the weights along their gradients."""
        self.step += 1
        first, second = (1 - beta**self.step for beta in ROUNDED)
        for name, slope in gradients.items():
            m, v = self.moments.get(name, (np.zeros_like(slope), np.zeros_like(slope)))
            m, v = m + (slope - m) * (1 - BETAS[0]), v + (slope**2 - v) * (1 - BETAS[1])
            self.moments[name] = m, v
            weights[name] = weights[name] - self.rate * second**0.5 / first * m / (np.sqrt(v) + ADAM_EPSILON)


class Agent:
    """The four networks and two optimizers.

    Args:
        start: All weights, by names such as "target_actor/hidden_1/0".
    """

    def __init__(self, start: Weights) -> None:
        self.networks: dict[str, Weights] = {}
        for name, weight in start.items():
            network, _, rest = name.partition("/")
            self.networks.setdefault(network, {})[rest] = weight.copy()
        self.optimizers = {name: Adam(rate) for name, rate in RATES.items()}

    def weights(self) -> Weights:
        """Return all weights."""
        return {f"{net}/{name}": weight for net, own in self.networks.items() for name, weight in own.items()}

    def update(self, state, action, reward, terminated, next_state) -> None:
        """Algorithm 1, from the minibatch to the target networks."""
        net, count = self.networks, len(state)
        next_action, _ = actor(next_state, net["target_actor"])
        next_q, _ = critic(next_state, next_action, net["target_critic"])
        target = reward + GAMMA * (1 - terminated) * next_q

        q, cache = critic(state, action, net["critic"])
        gradients, _ = critic_back(2 * (q - target) / count, cache, net["critic"])
        for layer in ("hidden_1", "hidden_2", "value"):
            gradients[f"{layer}/0"] = gradients[f"{layer}/0"] + 2 * DECAY * net["critic"][f"{layer}/0"]
        self.optimizers["critic"].apply(gradients, net["critic"])

        policy_action, actor_cache = actor(state, net["actor"])
        q, cache = critic(state, policy_action, net["critic"])
        _, slope = critic_back(np.full_like(q, -1 / count), cache, net["critic"])
        self.optimizers["actor"].apply(actor_back(slope, actor_cache, net["actor"]), net["actor"])

        for name in ("critic", "actor"):
            for key, weight in net[name].items():
                net[f"target_{name}"][key] = TAU * weight + (1 - TAU) * net[f"target_{name}"][key]


def gradient_error(start: Weights, state, action, seed: int = 0) -> float:
    """Return how far the gradients are from finite differences, relative, along random directions."""
    rng, agent, worst = np.random.default_rng(seed), Agent(start), 0.0
    actor_weights, critic_weights = agent.networks["actor"], agent.networks["critic"]
    slope = rng.normal(size=(len(state), 1))

    def critic_sum(weights: Weights) -> float:
        return float((critic(state, action, dict(weights))[0] * slope).sum())

    def actor_sum(weights: Weights) -> float:
        mu, _ = actor(state, dict(weights))
        return float((critic(state, mu, dict(critic_weights))[0] * slope).sum())

    _, cache = critic(state, action, dict(critic_weights))
    of_critic, _ = critic_back(slope, cache, critic_weights)
    mu, actor_cache = actor(state, dict(actor_weights))
    _, cache = critic(state, mu, dict(critic_weights))
    of_actor = actor_back(critic_back(slope, cache, critic_weights)[1], actor_cache, actor_weights)
    for weights, gradients, function in (
        (critic_weights, of_critic, critic_sum),
        (actor_weights, of_actor, actor_sum),
    ):
        for name in gradients:
            direction, step = rng.normal(size=gradients[name].shape), 1e-7  # so small that no ReLU bends
            up, down = (weights | {name: weights[name] + sign * step * direction} for sign in (1, -1))
            numeric, exact = (function(up) - function(down)) / (2 * step), float((gradients[name] * direction).sum())
            worst = max(worst, abs(numeric - exact) / max(abs(exact), 1e-3))
    return worst
