// The physics of Gymnasium's Pendulum-v1: the angle is 0 when upright and grows counterclockwise.
const Pendulum = {
  DT: 0.05, // seconds of a step
  STEPS: 200, // of an episode, until the time limit
  MAX_SPEED: 8, // rad/s
  MAX_TORQUE: 2, // N·m
  PLANT: { g: 10, m: 1, l: 1 }, // gravity, mass, length

  // A start as Gymnasium draws it: any angle, a speed within ±1. `random` returns numbers in [0, 1).
  start(random = Math.random) {
    return { angle: (2 * random() - 1) * Math.PI, speed: 2 * random() - 1 };
  },

  // The three numbers that the networks see, rounded to float32 as the task rounds them.
  observe({ angle, speed }) {
    return [Math.fround(Math.cos(angle)), Math.fround(Math.sin(angle)), Math.fround(speed)];
  },

  // One step: the next state and the reward. `push` is a torque of the reader's, which costs nothing.
  step({ angle, speed }, torque, { g, m, l } = Pendulum.PLANT, push = 0) {
    const u = clip(torque, Pendulum.MAX_TORQUE);
    const reward = -(wrap(angle) ** 2 + 0.1 * speed ** 2 + 0.001 * u ** 2);
    const acceleration = ((3 * g) / (2 * l)) * Math.sin(angle) + (3 / (m * l ** 2)) * (u + push);
    const next = clip(speed + acceleration * Pendulum.DT, Pendulum.MAX_SPEED);
    return { state: { angle: angle + next * Pendulum.DT, speed: next }, reward };
  },
};

// Return a number, cut to [-limit, limit].
function clip(x, limit) {
  return Math.min(Math.max(x, -limit), limit);
}

// Return an angle as one in [-π, π).
function wrap(angle) {
  const turn = 2 * Math.PI;
  return ((((angle + Math.PI) % turn) + turn) % turn) - Math.PI;
}
