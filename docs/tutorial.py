# %% [markdown]
# # DDPG, step by step
#
# This notebook follows two blog posts about Deep Deterministic Policy Gradient (DDPG), in their order: the first post
# is *DDPG and MolGAN, Finally* (2020), the second *Deep Deterministic Policy Gradient Algorithm* (2021). Both explain
# *the paper*, Lillicrap et al., [arXiv 1509.02971](https://arxiv.org/abs/1509.02971). The equations have the first
# post's numbers. They are called from this package, `ddpg.equations`, so what you read here is what `train.py` runs.
#
# You need Python and an idea of how a neural network is trained, but no reinforcement learning. Each section is a
# question. The notebook takes about five minutes on two cores:
#
# ```bash
# pip install -r requirements.txt -r requirements-molgan.txt jupyter && jupyter lab docs/tutorial.ipynb
# ```

# %%
import base64
import io
import os
import sys
import warnings
from dataclasses import replace

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, os.path.abspath(".." if os.path.basename(os.getcwd()) == "docs" else "."))

from ddpg.command.tensorflow import import_tensorflow

import_tensorflow()  # without its start-up messages

import gymnasium
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from IPython.display import HTML
from PIL import Image

from ddpg import (
    DDPG,
    Batch,
    Config,
    CriticNetwork,
    ReplayBuffer,
    equations,
    evaluate,
    make_environment,
    state_and_action_size,
    train,
)
from ddpg.networks import ActorNetwork
from ddpg.noise import GaussianNoise, OrnsteinUhlenbeckNoise

warnings.filterwarnings("ignore", category=DeprecationWarning)
rng = np.random.default_rng(0)
keras.utils.set_random_seed(0)

# %% [markdown]
# ## 1. What does an agent learn from?
#
# An **agent** sees a **state** $s$ of a **task** and chooses an **action** $a$. The task answers with a **reward** $r$
# and the next state $s'$. These four, and a flag that says whether the task has ended, are a **transition**.
# Transitions are all that DDPG learns from: it is **model-free**, it has no model of the task's dynamics. Transitions
# one after another are a **trajectory**.
#
# Pendulum is our first task. A motor turns a pole, and is too weak to lift it in one swing. The state is the cosine and
# the sine of its angle (the cosine is 1 if it stands upright and -1 if it hangs), and its speed; the action is the
# torque. With the angle $\varphi$ from the upright position, the speed $\dot\varphi$ and the torque $u$, the reward is
# $-(\varphi^2 + 0.1\,\dot\varphi^2 + 0.001\,u^2)$: 0 if the pole stands upright and still without any torque, and
# negative otherwise. Here are five transitions with random actions, one a line:

# %%
pendulum = make_environment("Pendulum-v1")
state, _ = pendulum.reset(seed=0)
rewards = []
print("state (cos, sin, speed)         action   reward   next state")
for step in range(5):
    action = rng.uniform(-1, 1, 1).astype(np.float32)
    next_state, reward, terminated, truncated, _ = pendulum.step(action)
    print(f"{np.round(state, 3)!s:30}  {action[0]:6.3f}   {reward:6.3f}   {np.round(next_state, 3)}")
    rewards.append(reward)
    state = next_state

# %% [markdown]
# `make_environment` maps every task's actions to $[-1, 1]$, because the actor of both posts ends in a tanh. Here 1 is
# the full torque of 2 newton meters.
#
# The agent tries to maximize the **return**, the sum of all rewards to come. Rewards in the far future count less: the
# reward after $k$ steps is multiplied by $\gamma^k$, where $\gamma < 1$ is the **discount factor**. Rewards count for
# about $1 / (1 - \gamma)$ steps: ten steps with $\gamma = 0.9$, which is enough for the small tasks of this notebook,
# and a hundred with the second post's 0.99, which Pendulum needs. The agent learns from discounted returns. Results are
# reported as plain sums over an **episode**, which is the time from a start to an end.

# %%
gamma = 0.9
print("rewards           ", np.round(rewards, 2))
print("undiscounted sum  ", round(sum(rewards), 2))
print("discounted return ", round(sum(gamma**k * reward for k, reward in enumerate(rewards)), 2))

# %% [markdown]
# ## 2. What is an action worth?
#
# A **policy** $\mu$ says which action to take in a state: $a = \mu(s)$. The **action value** $Q(s, a)$ is the return if
# the agent takes action $a$ in state $s$ and follows its policy from then on. It satisfies **Bellman's equation**
# (first post, equation 1):
#
# $$Q(s, a) = r + \gamma\, Q(s', \mu(s'))$$
#
# So the value of an action is its reward plus the discounted value of what the policy does next.
#
# The second post writes the equation with two **expectations**, $\mathbf{E}$, the mean over what chance decides. A
# **stochastic policy** $\pi$ gives each action a probability and draws one: the inner expectation is over the next
# action. A **deterministic policy** $\mu$ gives one action, so there is nothing to average, and the inner one is gone.
# The outer expectation is over the next state, if the task itself is random. No line of code computes it: among all
# values, the mean has the least squared distance from many samples, so a critic that minimizes squared distances learns
# it.
#
# To see Bellman's equation, take a task that we can solve on paper. A point moves on a line: $x' = x + 0.3\,a$, kept
# within $[-1, 1]$. It should be at 0.5: $r = -(x' - 0.5)^2$. Take the policy that does nothing, $\mu(x) = 0$. After the
# first action the point then stays where it is, each later step has the same reward, and the sum $r + \gamma r +
# \gamma^2 r + \cdots = r / (1 - \gamma)$ gives
#
# $$Q(x, a) = -\frac{(x' - 0.5)^2}{1 - \gamma}$$
#
# Now a neural network, the **critic**, learns this from transitions alone. Its loss is the mean of $(y - Q(s, a))^2$,
# where the **target** $y$ is the right-hand side of Bellman's equation (first post, equation 3). The target contains
# the critic itself. So it is computed with a second network, a copy that follows the critic slowly: section 5 shows
# why. The rate at which it follows is $\tau$, here 0.05. (The second post takes 0.005. A small task allows faster
# copies.)
#
# If the task ended with this transition (the next state is **terminal**; Gymnasium says `terminated`), no reward
# follows, and $y = r$. A time limit (`truncated`) is not such an end: the task would go on, so $y$ keeps the value
# of the next state.
#
# Each update uses a **minibatch**, here 128 transitions, chosen at random. The posts take 64.


# %%
def move(x, a):
    return np.clip(x + 0.3 * a, -1, 1)


def true_q(x, a):
    return -((move(x, a) - 0.5) ** 2) / (1 - gamma)


count = 2_000
x, a = (rng.uniform(-1, 1, (count, 1)).astype(np.float32) for _ in range(2))
data = Batch(x, a, -((move(x, a) - 0.5) ** 2), np.zeros((count, 1), np.float32), move(x, a))

critic, target_critic = CriticNetwork((64, 64), seed=1), CriticNetwork((64, 64), seed=1)
for network in (critic, target_critic):
    network(data.state[:1], data.action[:1])
optimizer = keras.optimizers.Adam(3e-3)
optimizer.build(critic.trainable_variables)


@tf.function
def train_critic(state, action, reward, terminated, next_state):
    next_action = tf.zeros_like(action)  # the policy: do nothing
    y = equations.bellman_target(reward, terminated, target_critic(next_state, next_action), gamma)
    with tf.GradientTape() as tape:
        loss = equations.critic_loss(critic(state, action), y)
    optimizer.apply(tape.gradient(loss, critic.trainable_variables), critic.trainable_variables)
    equations.soft_update(target_critic.variables, critic.variables, tau=0.05)
    return loss


for update in range(1, 3001):
    chosen = rng.choice(count, 128)
    loss = train_critic(*(part[chosen] for part in data[:5]))
    if update in (1, 100, 1000, 3000):
        error = np.abs(critic(x, a) - true_q(x, a)).mean()
        print(f"update {update:5}: loss {loss:8.5f}, mean distance from the true values {error:6.3f}")

# %% [markdown]
# The loss is small early, although the values are still wrong: it measures the distance from a target that is wrong
# too. The values become right while the target moves. Here they are beside the true ones. Each point of a picture is a
# state $x$ and an action $a$, and its color is the value. Bright is high: the bright stripe holds the actions that end
# at 0.5.

# %%
axis = np.linspace(-1, 1, 81, dtype=np.float32)
grid_x, grid_a = (each.reshape(-1, 1) for each in np.meshgrid(axis, axis))
found = critic(grid_x, grid_a).numpy().reshape(81, 81)
exact = true_q(grid_x, grid_a).reshape(81, 81)
figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for panel, values, title in zip(panels, (exact, found), ("true values", "the critic"), strict=True):
    drawn = panel.pcolormesh(axis, axis, values, vmin=exact.min(), vmax=0)
    panel.set(title=title, xlabel="state x", ylabel="action a")
figure.colorbar(drawn, ax=panels, label="Q(x, a)")
plt.show()

# %% [markdown]
# ## 3. Why does DDPG need an actor?
#
# With a critic, the best action is the one with the highest value (first post, equation 2): $\mu(s) = \arg\max_a Q(s,
# a)$. With a handful of actions you can try them all, as the older algorithms Q-learning and DQN do. Real actions are
# continuous: no search can try all torques at a step. Trying three values per motor does not help: one motor has 3
# combinations, and the 17 of Gymnasium's Humanoid have $3^{17}$, 129 million. Both posts call this the **curse of
# dimensionality**: the count grows exponentially with the number of motors. A table with one row for each state and
# action suffers the same, which is why the values and the policy are neural networks, **function approximators**: what
# they learn in one state carries over to similar ones.
#
# So DDPG trains a second network, the **actor** $\mu(s)$, to climb the critic's surface. The **deterministic policy
# gradient** (equation 4) says in which direction: follow $\nabla_a Q(s, a)$, the slope of the value along the action,
# at the action that the actor takes now. Automatic differentiation carries it on to the actor's weights:
# `equations.actor_loss` is the mean of $-Q(s, \mu(s))$ over some states, and the gradient of this loss is equation 4.
# (The first post says that this method "samples many trajectories". It needs none: the mean is over the states of
# single transitions.)
#
# The second post compares it with the **advantage actor** of A2C. That one has a stochastic policy, and makes an action
# more probable in proportion to its advantage: how much better it turned out than the policy's average. It learns which
# of the actions it took were good. DDPG's actor asks its critic in which direction a better action lies, one that
# nobody may have tried.
#
# The pictures show the critic again, and on it the actor, the red line, before and while it learns:

# %%
actor = ActorNetwork(1, (64, 64), seed=2)
actor(x[:1])
actor_optimizer = keras.optimizers.Adam(1e-3)
actor_optimizer.build(actor.trainable_variables)


@tf.function
def train_actor(state):
    with tf.GradientTape() as tape:
        loss = equations.actor_loss(critic(state, actor(state)))
    actor_optimizer.apply(tape.gradient(loss, actor.trainable_variables), actor.trainable_variables)


def draw_climb(panel, title):
    mu = actor(axis[:, None]).numpy()[:, 0]
    panel.pcolormesh(axis, axis, found, vmin=exact.min(), vmax=0)
    places = tf.constant(axis[5::10, None])
    actions = actor(places)
    with tf.GradientTape() as tape:
        tape.watch(actions)
        values = critic(places, actions)
    slope = tape.gradient(values, actions).numpy()[:, 0]
    panel.quiver(places[:, 0], actions[:, 0], 0 * slope, slope, color="white", scale=60, width=0.008)
    panel.plot(axis, mu, "r", label="the actor μ(x)")
    best = np.clip((0.5 - axis) / 0.3, -1, 1)
    panel.plot(axis, best, "w--", label="the best action")
    panel.set(title=title, xlabel="state x", ylabel="action a", ylim=(-1.05, 1.05))


figure, panels = plt.subplots(1, 3, figsize=(12, 3.6), sharey=True, layout="constrained")
made = 0
for panel, updates in zip(panels, (0, 50, 1000), strict=True):
    while made < updates:
        train_actor(x[rng.choice(count, 128)])
        made += 1
    draw_climb(panel, f"after {updates} updates of the actor")
panels[0].legend(loc="lower left", fontsize="small")
plt.show()

# %% [markdown]
# The arrows are $\nabla_a Q$ at the actor's action: they point up where a larger action is better, and down where a
# smaller one is. The actor follows them. After 1,000 updates it is close to the best action, and the slopes have almost
# vanished.
#
# What is the best action here? The critic belongs to the policy of section 2, which does nothing after the first
# action. So the first action should take the point to 0.5, or as near as possible: the dashed line. In DDPG both
# networks learn at the same time: the critic learns the values of what the actor does now, and the actor climbs.
#
# ## 4. Why a replay buffer?
#
# Consecutive transitions resemble each other, and a network that learns from similar samples forgets everything else.
# Training a network assumes samples that are independent and identically distributed, **i.i.d.** for short. A **replay
# buffer** stores the latest transitions, up to a million of them, and hands out minibatches of them drawn at random. So
# each transition is also used many times. Here is the correlation of Pendulum's speed with the speed some transitions
# later, first in the order in which they happened, then in the order in which they were drawn:


# %%
def autocorrelation(series, lags):
    series = series - series.mean()
    return [np.mean(series[: len(series) - lag] * series[lag:]) / series.var() for lag in lags]


buffer = ReplayBuffer(capacity=5_000, state_size=3, action_size=1)
state, _ = pendulum.reset(seed=1)
for step in range(5_000):
    action = rng.uniform(-1, 1, 1).astype(np.float32)
    next_state, reward, terminated, truncated, _ = pendulum.step(action)
    buffer.add(state, action, reward, terminated, next_state)
    state = pendulum.reset()[0] if truncated else next_state

in_order = buffer.split(buffer.rows).state[:, 2]  # a row holds a transition; `split` names its parts
drawn = buffer.split(buffer.sample(64, rng, minibatches=60)).state[..., 2].ravel()  # 60 minibatches of 64
lags = range(40)
plt.figure(figsize=(7, 3), layout="constrained")
plt.plot(lags, autocorrelation(in_order, lags), label="in order")
plt.plot(lags, autocorrelation(drawn, lags), label="drawn from the buffer")
plt.xlabel("transitions apart")
plt.ylabel("correlation of the speeds")
plt.legend()
plt.show()

# %% [markdown]
# In order, a speed says much about those of the next ten steps, and something about later ones, too: the pole swings,
# so after half a swing the speed has the other sign. Drawn at random, it says nothing about the next one drawn.
#
# Does it matter? Train Pendulum with the second post's settings: with its buffer of a million transitions, and with one
# that holds only the latest 64, each with two seeds. A **seed** sets all random numbers of a run: with another seed, it
# begins with other weights and other states. `train` yields an `Episode` at the end of each episode. `evaluate` runs
# the policy in an environment of its own, without the noise of section 7.


# %%
def learn(config, every=1_000):
    """Train, and return steps, noise-free returns, and the critic's mean value in each episode."""
    environment, tests = (make_environment(config.env, config.env_kwargs) for _ in range(2))
    agent = DDPG(*state_and_action_size(environment), config)
    points, values = [(0, evaluate(agent, tests, 5).mean)], []
    for episode in train(agent, environment):
        if episode.metrics:
            values.append((episode.steps, episode.metrics.q_value))
        if episode.steps >= points[-1][0] + every:
            points.append((episode.steps, evaluate(agent, tests, 5).mean))
    return agent, np.array(points), np.array(values)


SEEDS = (0, 1)
COLORS = ("tab:blue", "tab:orange")
complete = [learn(Config(steps=5_000, seed=seed)) for seed in SEEDS]
latest_only = [learn(Config(steps=5_000, seed=seed, buffer_size=64)) for seed in SEEDS]


def draw_returns(panel, kinds):
    for (name, runs), color in zip(kinds.items(), COLORS, strict=True):
        for (_, points, _), style in zip(runs, ("o-", "o--"), strict=True):
            panel.plot(*points.T, style, color=color, label=name if style == "o-" else None)
    panel.set(xlabel="environment steps", ylabel="return without noise")
    panel.legend()


_, panel = plt.subplots(figsize=(7, 3), layout="constrained")
draw_returns(panel, {"replay buffer": complete, "the latest 64 transitions only": latest_only})
plt.show()

# %% [markdown]
# One line is one seed. In the first 1,000 steps every policy gets worse: its critic has seen too little. Then, with the
# buffer, the return rises to about -150 within 4,000 steps. With the latest transitions only it does not.
#
# ## 5. Why target networks?
#
# The target $y = r + \gamma\, Q(s', \mu(s'))$ uses the critic that is being trained. Each update moves the targets too.
# An error in a value makes the targets wrong, these make other values wrong, and so on: errors can grow. So both
# networks have a slow copy, and $y$ uses the copies. DDPG has four networks: the **actor** $\mu$, the **critic** $Q$,
# and their **target networks** $\mu'$ and $Q'$. The target of section 2 becomes
#
# $$y = r + \gamma\, Q'(s', \mu'(s'))$$
#
# After each update both copies move a little towards the originals (equation 5). $\theta$ are the weights of a network,
# $\theta'$ those of its copy:
#
# $$\theta' \leftarrow \tau\,\theta + (1 - \tau)\,\theta', \qquad \tau = 0.005$$
#
# With $\tau = 1$ the copies are the originals: no target networks at all.

# %%
target, online = [tf.Variable([0.0])], [tf.Variable([1.0])]
for update in range(1, 501):
    equations.soft_update(target, online, tau=0.005)
    if update in (1, 2, 100, 500):
        print(f"the original is 1; its target after {update:3} updates: {target[0].numpy()[0]:.4f}")

# %% [markdown]
# So a copy is about $1 / \tau = 200$ updates behind: its values are old, but steady. (DQN copies everything at once,
# and rarely.) While the copies stand still, each transition has a fixed $y$, and the critic learns as a network learns
# labels. That is what the first post means by **more like supervised learning**: the labels are not the truth, and they
# move, but slowly. There is no proof that the two networks arrive anywhere. Q-learning with a table is known to
# **converge** to the true values; with networks, the paper says, **convergence** is no longer guaranteed. The copies,
# the buffer and the scaling of section 6 are there to reach it anyway. The same runs as before, beside runs without
# target networks. On the left are the values that the critic gives, averaged over each episode; on the right is what
# the policy reaches:

# %%
without_targets = [learn(Config(steps=5_000, seed=seed, tau=1.0)) for seed in SEEDS]
figure, panels = plt.subplots(1, 2, figsize=(11, 3), layout="constrained")
for runs, color in ((complete, COLORS[0]), (without_targets, COLORS[1])):
    for (_, _, values), style in zip(runs, ("-", "--"), strict=True):
        name = ("target networks" if runs is complete else "none (τ = 1)") if style == "-" else None
        panels[0].plot(*values.T, style, color=color, label=name)
panels[0].set(xlabel="environment steps", ylabel="mean Q(s, a) in an episode")
panels[0].legend()
draw_returns(panels[1], {"target networks": complete, "none (τ = 1)": without_targets})
plt.show()

# %% [markdown]
# With target networks the values change slowly, from 0 to about -70. Without them they jump up and down by hundreds
# from one episode to the next, although the policy cannot have changed so much, and nothing is learned. One check is
# always possible: Pendulum's rewards lie between $-(\pi^2 + 0.1 \cdot 8^2 + 0.001 \cdot 2^2) = -16.3$, hanging at full
# speed, and 0. So true values lie between $-16.3 / (1 - 0.99) = -1630$ and 0. Values far outside such a range are a
# sign of growing errors.
#
# ## 6. What if the numbers of a state have different scales?
#
# A car's position may be in meters, thousands of them, and its steering angle a fraction of 1. The first layer adds up
# all numbers of the state, so the large one hides the small one. The paper's answer is **batch normalization**: each
# input, and each hidden layer, is scaled by the mean and deviation of the minibatch. A simpler one is to scale only the
# states, by the mean and deviation of all states seen so far (`normalize_observations`).
#
# The task: the state is a number in $[-1, 1]$ and, beside it, random noise up to 10,000. The action must be equal to
# the first number; the reward is $-(a - s_0)^2$. An episode is one step.


# %%
class Scales(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-1, 1, 2).astype(np.float32) * np.float32([1, 10_000])
        return self.state.copy(), {}

    def step(self, action):
        return self.state.copy(), -float((action[0] - self.state[0]) ** 2), True, False, {}


gymnasium.register("Scales-v0", Scales)
learning_rates = {"actor_learning_rate": 3e-3, "critic_learning_rate": 3e-3}
small = Config(env="Scales-v0", steps=1_500, hidden_units=(32, 32), batch_size=32, **learning_rates)
for name, config in (
    ("neither", small),
    ("batch normalization", replace(small, batch_normalization=True)),
    ("normalized observations", replace(small, normalize_observations=True)),
):
    agent, *_ = learn(config, every=10_000)
    task = make_environment("Scales-v0")
    score = evaluate(agent, task, 200).mean
    actions = np.array([agent.act(task.reset()[0], explore=False)[0] for _ in range(200)])
    print(f"{name:23} return {score:6.3f}, {np.mean(np.abs(actions) > 0.99):4.0%} of the actions at -1 or 1")

# %% [markdown]
# 0 is perfect. The action 0 in every state would have $-1/3$, the mean of $-s_0^2$. Without scaling, the actor's action
# follows the random noise and is at its bounds in nearly all states. This is worse than no action at all. Which of the
# two should you take? If the numbers of your states have different sizes, begin with `normalize_observations`. It does
# not depend on the minibatch and costs little time. `batch_normalization` is there because it is the paper's.
#
# ## 7. How does it explore?
#
# The actor is deterministic: in each state it would try the same action again and again. So noise $\mathcal{N}$ is
# added in training (equation 6), and the sum is kept within $[-1, 1]$:
#
# $$a = \mu(s) + \mathcal{N}$$
#
# This is the **behavior policy** $\beta$, the one that acts in training. The policy that is learned, $\mu$, is the
# first post's **target policy** (not to be confused with its target network, nor with the target $y$). In a transition,
# $a$, and with it $r$ and $s'$, come from $\beta$; the next action in $y$ comes from $\mu'$. An algorithm that learns
# about one policy from what another one did is **off-policy**: Q-learning, DQN, DDPG. That is what allows a replay
# buffer, which is full of what older policies did. An **on-policy** algorithm, such as A2C, learns from what its
# present policy did, and throws it away. How far does this go? Here is DDPG without a single action of its own. It
# learns from the 2,000 random actions of section 2 alone, and is then compared with the best action:

# %%
learner = DDPG(1, 1, Config(gamma=0.9, hidden_units=(64, 64), actor_learning_rate=1e-3, buffer_size=count))
for state, action, reward, terminated, next_state in zip(*data[:5], strict=True):
    learner.remember(state, action, reward[0], next_state, bool(terminated[0]))
best_action = np.clip((0.5 - x) / 0.3, -1, 1)
for updates in (0, 3_000):
    while learner.updates < updates:
        learner.update()
    print(f"after {updates:5} updates: {np.abs(learner.actor(x) - best_action).mean():.3f} from the best action")

# %% [markdown]
# So exploration can be anything that tries enough: DQN's is **ε-greedy**, a random action now and then, and a
# stochastic policy explores by itself.
#
# The second post takes **Gaussian** noise, independent at each step. The paper takes an **Ornstein-Uhlenbeck** process,
# which remembers: each value is the one before, pulled a little towards 0, plus a random change, like the speed of a
# particle in a liquid (**Brownian motion** with friction). Such values are **temporally correlated**: they push in one
# direction for a while, and their mean is still 0. Both below have the same standard deviation, 0.95. (The 0.5 in the
# code is the deviation of the random change of one step.)

# %%
gaussian, ou = GaussianNoise(1, 0.95, rng), OrnsteinUhlenbeckNoise(1, 0.5, rng)
paths = {
    "Gaussian": np.array([gaussian.sample()[0] for _ in range(5_000)]),
    "Ornstein-Uhlenbeck": np.array([ou.sample()[0] for _ in range(5_000)]),
}
figure, panels = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
for name, path in paths.items():
    panels[0].plot(path[:150], label=name)
    panels[1].plot(range(30), autocorrelation(path, range(30)), label=name)
    sums = np.cumsum(path.reshape(50, 100), axis=1)  # 50 times 100 pushes
    panels[2].plot(range(1, 101), np.sqrt(np.mean(sums**2, axis=0)), label=name)
panels[0].set(xlabel="steps", ylabel="noise")
panels[1].set(xlabel="steps apart", ylabel="autocorrelation")
panels[2].set(xlabel="number of pushes", ylabel="typical size of their sum")
for panel in panels:
    panel.legend(fontsize="small")
plt.show()

# %% [markdown]
# On the left is the noise itself. In the middle: a value of Gaussian noise says nothing about the next one, a value of
# the Ornstein-Uhlenbeck process says much about the next five. On the right: so the pushes of Gaussian noise largely
# cancel each other, and those of the Ornstein-Uhlenbeck process add up. (The typical size is the root of the mean
# square.) On many tasks this makes little difference. In MountainCarContinuous it does. A car in a valley is too weak
# to drive up the hill at once, so it must first swing back and forth. The only reward is on the top. How often does the
# noise alone get there, in 20 episodes of up to 999 steps?

# %%
car = make_environment("MountainCarContinuous-v0")
for name, noise in (("Gaussian", gaussian), ("Ornstein-Uhlenbeck", ou)):
    arrived = 0
    for episode in range(20):
        car.reset(seed=episode)
        noise.reset()
        terminated = truncated = False
        while not (terminated or truncated):
            action = equations.exploration_action(np.zeros(1), noise.sample())
            _, _, terminated, truncated, _ = car.step(action.astype(np.float32))
        arrived += terminated
    print(f"{name:20} {arrived:2} of 20")

# %% [markdown]
# The rare arrivals are all that an agent can learn from here. So on such a task take `--noise ou`.
#
# ## 8. What does Algorithm 1 do in one step?
#
# Algorithm 1 is the paper's name for all of DDPG. After each step in the environment it makes one update:
#
# ![The algorithm: the actor acts in the task, transitions go through the replay buffer to a minibatch, from which the
# target y, the two losses and the soft updates follow](diagram.svg)
#
# Here is everything together, once, with all shapes: the agent acts, remembers, draws a minibatch and updates. So that
# everything can be printed, the minibatch has four transitions and the networks are small; the posts' have 64
# transitions and layers of 400 and 300 units.

# %%
agent = DDPG(3, 1, Config(batch_size=4, hidden_units=(8, 8)))
state, _ = pendulum.reset(seed=3)
for step in range(8):
    action = agent.act(state)  # μ(s) plus noise
    next_state, reward, terminated, truncated, _ = pendulum.step(action)
    agent.remember(state, action, reward, next_state, terminated)
    state = next_state

minibatch = agent.replay_buffer.split(agent.replay_buffer.sample(4, rng)[0])  # [0]: the first and only minibatch
for name, part in list(minibatch._asdict().items())[:5]:  # a sixth part is for logged data
    print(f"{name:11} {part.shape}  {np.round(part[0], 3)} ...")

next_action = agent.target_actor(minibatch.next_state)
next_q = agent.target_critic(minibatch.next_state, next_action)
y = equations.bellman_target(minibatch.reward, minibatch.terminated, next_q, gamma=0.99)
q = agent.critic(minibatch.state, minibatch.action)
print("\nnext_action", next_action.shape, " next_q", next_q.shape, " y", y.shape, " q", q.shape)
for k in range(4):
    print(
        f"y = {minibatch.reward[k, 0]:7.3f} + 0.99 · {next_q[k, 0]:7.4f} = {y[k, 0]:7.3f}     Q(s, a) = {q[k, 0]:7.4f}"
    )
print(f"\ncritic loss, the mean of (y - Q)²: {equations.critic_loss(q, y):.4f}")
print(
    f"actor loss, -mean Q(s, μ(s)):      {equations.actor_loss(agent.critic(minibatch.state, agent.actor(minibatch.state))):.4f}"
)

before = agent.critic(minibatch.state, minibatch.action).numpy()
metrics = agent.train_step(Batch(*map(tf.constant, minibatch)))
after = agent.critic(minibatch.state, minibatch.action).numpy()
print("\nthe update's own metrics:", {name: round(float(value), 4) for name, value in metrics._asdict().items()})
print("the values moved towards y by", np.round((after - before)[:, 0], 4))

# %% [markdown]
# The metrics belong to the same minibatch: both losses, the means of $Q(s, a)$ and of $y$, and the share of the actor's
# actions within 1 % of -1 or 1 (`action_saturation`). Their actor loss differs from the one above because the critic is
# updated first, as in Algorithm 1.
#
# With $N$ transitions in a minibatch, values, rewards and flags are all `(N, 1)`. A reward of shape `(N,)` beside a
# value of shape `(N, 1)` would be broadcast to `(N, N)`. Then each value is compared with the targets of all
# transitions, and every state and action gets the same value, their mean. That is the best-known bug of DDPG tutorials,
# and the second post's printed code has it.
#
# So an update has this order, which is the paper's Algorithm 1: compute $y$ with both target networks, update the
# critic, update the actor through the updated critic, and move both target networks a little. `DDPG.train_step` in
# `ddpg/agent.py` does it, with the same functions. The loop around it is `train` in `ddpg/training.py`.
#
# ## 9. Does it learn to swing the pendulum up?
#
# A whole run of 10,000 steps, with the second post's settings. The picture shows the return of the policy without
# noise, a mean of five episodes, every thousand steps. (Its first 5,000 steps are those of seed 1 in section 4.) The
# best possible mean, -136 over 1,000 starts, was computed from the task's own equations, which the agent does not know
# ([results.md](results.md#the-optimum-of-pendulum)):

# %%
agent, points, values = learn(Config(steps=10_000, seed=1))
plt.figure(figsize=(7, 3), layout="constrained")
plt.plot(*points.T, "o-")
plt.axhline(-136, color="gray", ls=":")
plt.text(10_000, -260, "dotted: the best possible mean", color="gray", fontsize="small", ha="right", va="top")
plt.xlabel("environment steps")
plt.ylabel("return without noise")
plt.show()

# %% [markdown]
# What did it learn? The policy and the value over all angles and speeds. Angle 0 is upright:

# %%
angle, speed = np.linspace(-np.pi, np.pi, 121), np.linspace(-8, 8, 101)
angles, speeds = (each.ravel() for each in np.meshgrid(angle, speed))
states = np.stack([np.cos(angles), np.sin(angles), speeds], axis=1).astype(np.float32)
torque = agent.actor(states)
value = agent.critic(states, torque)
figure, panels = plt.subplots(1, 2, figsize=(11, 3.6), sharey=True, layout="constrained")
for panel, field, colors, title in (
    (panels[0], 2 * torque, "RdBu", "policy: torque (N m)"),
    (panels[1], value, "viridis", "value Q(s, μ(s))"),
):
    drawn = panel.pcolormesh(angle, speed, field.numpy().reshape(101, 121), cmap=colors)
    panel.set(title=title, xlabel="angle (rad)", ylabel="angular speed (rad/s)")
    figure.colorbar(drawn, ax=panel)
plt.show()

# %% [markdown]
# On the left, red and blue are the two directions of the torque: near the upright position it pushes the pole back to
# it. On the right, the goal is in the middle. The bright band through it holds the states from which the pole gets
# there at once. From the dark valleys it must first swing to the other side. (Values above 0 are errors: no
# true value is. They lie where the agent has hardly been.) And a film of one episode, from a start near the bottom:

# %%
state, _ = pendulum.reset(seed=5)
figure, panel = plt.subplots(figsize=(2.2, 2.2), dpi=80, layout="constrained")
frames = []
for step in range(100):
    angle = np.arctan2(state[1], state[0])
    panel.clear()
    panel.plot([0, -np.sin(angle)], [0, np.cos(angle)], lw=5, color="#d55e00", solid_capstyle="round")
    panel.plot(0, 0, "k.")
    panel.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal", xticks=[], yticks=[], title=f"{step * 0.05:.2f} s")
    figure.canvas.draw()
    frames.append(
        Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    )
    state, *_ = pendulum.step(agent.act(state, explore=False))
plt.close(figure)
film = io.BytesIO()
frames[0].save(film, "gif", save_all=True, append_images=frames[1:], duration=50, loop=0)
HTML(f'<img alt="film" src="data:image/gif;base64,{base64.b64encode(film.getvalue()).decode()}">')

# %% [markdown]
# `python evaluate.py --checkpoint RUN --episodes 1 --video films` records films of runs made by `train.py`.
#
# ## 10. How do I train on a task of my own?
#
# Write a Gymnasium environment and register it. Here is the point on a line of section 2, with a time limit of 20
# steps. We know the best policy: go to 0.5 as fast as possible and stay there, $\mu(x) = (0.5 - x) / 0.3$, within $[-1,
# 1]$. What it reaches is computed first; then the agent has to find it.


# %%
class Line(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return self.x, {}

    def step(self, action):
        self.x = np.clip(self.x + 0.3 * action, -1, 1).astype(np.float32)
        return self.x, -float((self.x[0] - 0.5) ** 2), False, False, {}  # never terminal: the limit truncates


gymnasium.register("Line-v0", Line, max_episode_steps=20)
# A small task: small networks, a faster actor, and more noise to try all actions early.
settings = {"hidden_units": (64, 64), "actor_learning_rate": 1e-3, "noise_sigma": 0.3}
agent, *_ = learn(Config(env="Line-v0", steps=3_000, gamma=0.9, **settings))
line = make_environment("Line-v0")


def mean_return(policy):
    total = 0.0
    for start in range(100):
        (state, _), truncated = line.reset(seed=start), False
        while not truncated:
            state, reward, _, truncated, _ = line.step(policy(state))
            total += reward
    return total / 100


print(f"doing nothing    {mean_return(lambda state: np.zeros(1, np.float32)):.3f}")
print(f"the best policy  {mean_return(lambda state: np.clip((0.5 - state) / 0.3, -1, 1)):.3f}")
print(f"the agent        {mean_return(lambda state: agent.act(state, explore=False)):.3f}")
plt.figure(figsize=(5, 3), layout="constrained")
plt.plot(axis, np.clip((0.5 - axis) / 0.3, -1, 1), "--", label="the best action")
plt.plot(axis, agent.actor(axis[:, None])[:, 0], label="the actor")
plt.xlabel("state x")
plt.ylabel("action a")
plt.legend()
plt.show()

# %% [markdown]
# The actor's line lies close to that of the best action. It leaves it near the right end, where the point seldom is.
#
# Put the class and its line `gymnasium.register(...)` into a module, `mine.py`. Then `python train.py --env
# mine:Line-v0` trains on it, with checkpoints, logs and curves. [custom-environments.md](custom-environments.md) has
# each step.
#
# ## 11. What has this to do with molecules?
#
# The first post ends with MolGAN ([arXiv 1805.11973](https://arxiv.org/abs/1805.11973)), which generates molecules as
# graphs: atoms are nodes, bonds are edges. It is DDPG with episodes of one step: the state is a vector of random
# numbers, the generator is the actor, its action is a whole graph, and the reward network is the critic. After one step
# the episode ends, so Bellman's target is the reward itself:

# %%
one = tf.ones([1, 1])
print("y =", equations.bellman_target(0.7 * one, terminated=one, next_q=5.0 * one, gamma=0.99).numpy()[0, 0])

# %% [markdown]
# No value of a next state is needed, so there are no target networks. And no step in a slow environment is needed to
# get another graph: each update makes new ones, so there is no replay buffer. The first post gives another reason, that
# the graphs are i.i.d. Those of one minibatch are. But the generator changes with every update, so the graphs of
# different updates are not identically distributed; it is just that new ones cost nothing. The reward network learns to
# predict the scores that RDKit, a library for chemistry, gives to generated molecules and to those of a dataset.
#
# MolGAN has one more network, the discriminator, which tells generated molecules from those of the dataset. The
# generator learns from it what molecules look like, and from the reward network which ones are good. Here the dataset
# is 5,000 molecules that were put together at random, so that nothing has to be downloaded. The score is solubility:
# how well a molecule dissolves in fat rather than in water, from 0 to 1. A graph that is not a molecule scores 0.
#
# This short training lasts 40 epochs, where a full run takes 300 ([molgan.md](molgan.md)). The weight of the reward
# grows from epoch 5 (`rl_start`) to epoch 30 (`rl_full`). The picture shows the mean score of the generated graphs:

# %%
from rdkit import Chem
from rdkit.Chem import Draw

from ddpg.molgan.agent import MolGAN
from ddpg.molgan.chemistry.dataset import random_molecules
from ddpg.molgan.chemistry.molecules import to_molecules
from ddpg.molgan.chemistry.rewards import Reward
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.evaluation import generate
from ddpg.molgan.training import train as train_molgan

molgan_config = MolGANConfig(epochs=40, rl_start=5, rl_full=30, evaluate_every=40)
molecules = random_molecules()
generator = MolGAN(molgan_config)
curve = [(epoch.number, epoch.reward) for epoch in train_molgan(generator, molecules)]
plt.figure(figsize=(7, 3), layout="constrained")
plt.plot(*zip(*curve, strict=True))
plt.xlabel("epoch")
plt.ylabel("mean solubility of the graphs (0 to 1)")
plt.show()

# %%
sampled, _ = generate(generator, 200, seed=0)
different = {Chem.MolToSmiles(molecule): molecule for molecule in to_molecules(sampled) if molecule is not None}
scores = Reward(molgan_config.objectives, molecules.smiles)(list(different.values()))[:, 0]  # one column: solubility
best = sorted(zip(scores, different, strict=True), reverse=True)[:8]
print(f"{len(different)} different molecules of 200")
Draw.MolsToGridImage(
    [different[smiles] for _, smiles in best],
    molsPerRow=4,
    subImgSize=(200, 150),
    legends=[f"{s:.2f}" for s, _ in best],
)

# %% [markdown]
# These are the eight with the best scores. None has an atom with too many bonds: the sampler does not allow it.
#
# ## Where to go on
#
# - The equations: `ddpg/equations.py`. Algorithm 1: `DDPG.train_step` in `ddpg/agent.py`.
# - `python train.py --env Pendulum-v1` trains in the terminal; [the README](../README.md) has the recipes.
# - One run says little: [sweeps.md](sweeps.md) trains many seeds. [results.md](results.md) shows what each part is for.
# - If your task does not learn: [troubleshooting.md](troubleshooting.md).
