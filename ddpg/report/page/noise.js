// The noise N of β(s) = μ(s) + N (equation 6), in units of the tanh action; ddpg/noise.py says more.
const Noises = {
  none: () => () => 0,

  // Independent normal noise: the second post's choice.
  gaussian: (sigma) => () => sigma * standardNormal(),

  // Noise that drifts back to zero: the paper's choice, with θ = 0.15 and a step of 1.
  ou(sigma, theta = 0.15) {
    let value = 0;
    return () => (value = (1 - theta) * value + sigma * standardNormal());
  },
};

// Return a number from N(0, 1), by Box and Muller's method.
function standardNormal(random = Math.random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
