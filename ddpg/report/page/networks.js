// Actors and critics as ddpg/report/play.py writes them: lists of layers, each [kind, sizes, base64 of its float32 numbers].
const Networks = {
  // Return a network ready to run.
  decode(layers) {
    return layers.map(([kind, sizes = [], text = ""]) => ({ kind, sizes, numbers: Networks.float32(text) }));
  },

  float32(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Float32Array(bytes.buffer); // little-endian, as every machine with a browser is
  },

  // Return the outputs for one state, and of a critic for one action in [-1, 1].
  run(network, state, action) {
    return network.reduce((x, layer) => Networks.layers[layer.kind](x, layer, action), Float64Array.from(state));
  },

  // μ(s): the actor's action in [-1, 1].
  act: (actor, state) => clip(Networks.run(actor, state)[0], 1),

  // Q(s, a): the critic's value.
  value: (critic, state, action) => Networks.run(critic, state, action)[0],

  // How many numbers a network has: what it costs to run.
  size: (network) => network.reduce((sum, { numbers }) => sum + numbers.length, 0),

  layers: {
    dense(x, { sizes: [inputs, outputs], numbers }) {
      const y = Float64Array.from(numbers.subarray(inputs * outputs)); // the biases stand behind the weights
      for (let i = 0, k = 0; i < inputs; i++, k += outputs) {
        if (x[i] !== 0) for (let j = 0; j < outputs; j++) y[j] += x[i] * numbers[k + j];
      }
      return y;
    },
    relu: (x) => x.map((each) => Math.max(0, each)),
    tanh: (x) => x.map(Math.tanh),
    clip: (x, { sizes: [limit] }) => x.map((each) => clip(each, limit)),
    action: (x, _, action) => Float64Array.of(...x, action), // where the action enters a critic
    affine: (x, { numbers }) => x.map((each, i) => each * numbers[i] + numbers[x.length + i]),
    layer_normalization(x, { sizes: [epsilon], numbers }) {
      const mean = x.reduce((sum, each) => sum + each, 0) / x.length;
      const variance = x.reduce((sum, each) => sum + (each - mean) ** 2, 0) / x.length;
      const deviation = Math.sqrt(variance + epsilon);
      return x.map((each, i) => ((each - mean) / deviation) * numbers[i] + numbers[x.length + i]);
    },
  },
};
