// The four pictures. Each draws on a canvas what it is given, and keeps nothing but what is costly to make again.
const Views = {
  colors: {},

  // Read the colors of the style, which differ between light and dark mode.
  readColors() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["back", "text", "soft", "line", "low", "middle", "high", "now", "critic", "target", "best", "noisy", "torque"]) {
      Views.colors[name] = style.getPropertyValue(`--${name}`).trim();
    }
  },

  // Return a cleared drawing context in CSS pixels, with its width and height.
  begin(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [canvas.clientWidth, canvas.clientHeight];
    const [width, height] = [Math.round(w * ratio), Math.round(h * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, w, h);
    pen.font = "12px system-ui, sans-serif";
    return { pen, w, h };
  },

  // The rod, another one behind it, the torque as an arc around the pivot, and the reader's pull as a line.
  pendulum(canvas, { angle, torque, length, mass, other, pull }) {
    const { pen, w, h } = Views.begin(canvas);
    const [x, y, unit] = [w / 2, h / 2, Views.unit(w)];
    const tip = (at) => [x - unit * length * Math.sin(at), y - unit * length * Math.cos(at)];
    const rod = (at, color, dash) => {
      pen.setLineDash(dash);
      line(pen, [[x, y], tip(at)], color, 8 + 4 * mass);
      pen.setLineDash([]);
    };
    pen.lineCap = "round";
    if (other !== null) rod(other, Views.colors.target, [2, 22]);
    rod(angle, Views.colors.critic, []);
    if (pull) line(pen, [tip(angle), pull], Views.colors.noisy, 2);
    dot(pen, x, y, 5, Views.colors.now);
    if (Math.abs(torque) < 0.02) return;
    const [radius, top] = [unit * 0.28, -Math.PI / 2]; // a positive torque turns counterclockwise
    const end = top - torque * 1.3;
    pen.beginPath();
    pen.arc(x, y, radius, top, end, torque > 0);
    stroke(pen, Views.colors.torque, 4);
    dot(pen, x + radius * Math.cos(end), y + radius * Math.sin(end), 6, Views.colors.torque);
  },

  unit: (width) => width * 0.3, // pixels of a meter: the longest pendulum fits

  MAP: [64, 48], // cells of the map over angle and speed

  // Return a map of an actor's torque that `fillMap` fills; a large network takes several frames.
  newMap(actor, torque) {
    const [columns, rows] = Views.MAP;
    const picture = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    return { actor, torque, picture, row: 0, colors: ["low", "middle", "high"].map((name) => rgb(Views.colors[name])) };
  },

  // Fill as many rows of a map as fit into some milliseconds.
  fillMap(map, milliseconds) {
    const [columns, rows] = Views.MAP;
    const [pen, end] = [map.picture.getContext("2d"), performance.now() + milliseconds];
    while (map.row < rows && performance.now() < end) {
      const pixels = pen.createImageData(columns, 1);
      const speed = Pendulum.MAX_SPEED * (1 - (2 * (map.row + 0.5)) / rows);
      for (let column = 0; column < columns; column++) {
        const angle = Math.PI * (1 - (2 * (column + 0.5)) / columns); // as one sees it: counterclockwise is left
        const action = Networks.act(map.actor, Pendulum.observe({ angle, speed })) * (map.torque / Pendulum.MAX_TORQUE);
        pixels.data.set([...mixed(map.colors, action), 255], 4 * column);
      }
      pen.putImageData(pixels, 0, map.row++);
    }
  },

  // The actor's map, with states as dots.
  policy(canvas, map, states) {
    const { pen, w, h } = Views.begin(canvas);
    pen.drawImage(map.picture, 0, 0, w, h);
    line(pen, [[w / 2, 0], [w / 2, h]], Views.colors.soft, 0.5);
    line(pen, [[0, h / 2], [w, h / 2]], Views.colors.soft, 0.5);
    label(pen, "upright", w / 2 + 4, 14);
    label(pen, "angle +180°", 4, h - 6);
    label(pen, "−180°", w - 40, h - 6);
    label(pen, "+8 rad/s", 4, 14);
    states.forEach(({ angle, speed }, number) => {
      const [x, y] = [(w / 2) * (1 - wrap(angle) / Math.PI), (h / 2) * (1 - speed / Pendulum.MAX_SPEED)];
      dot(pen, x, y, 7, number ? Views.colors.target : Views.colors.now, Views.colors.middle);
    });
  },

  range: null, // of the values in sight: grows with them at once, shrinks smoothly

  // Both curves of Q over the action, with the actor's choice, the best action, the noisy one, and the slope at μ(s).
  value(canvas, { actions, online, target, mu, best, noisy, slope, torque }) {
    const { pen, w, h } = Views.begin(canvas);
    const [low, high] = [Math.min(...online, ...target), Math.max(...online, ...target)];
    const margin = Math.max(0.15 * (high - low), 0.02);
    const wanted = [low - margin, high + margin];
    const [from, to] = (Views.range || wanted).map((old, i) => old + 0.15 * (wanted[i] - old));
    Views.range = [Math.min(from, low - margin / 2), Math.max(to, high + margin / 2)];
    const [left, bottom] = [46, h - 30];
    const x = (action) => left + ((w - left - 12) * (action + 1)) / 2;
    const y = (q) => 10 + ((bottom - 10) * (Views.range[1] - q)) / (Views.range[1] - Views.range[0]);
    for (const part of [0.1, 0.5, 0.9]) {
      const q = Views.range[0] + part * (Views.range[1] - Views.range[0]);
      line(pen, [[left, y(q)], [w, y(q)]], Views.colors.line, 0.5);
      label(pen, minus(q.toFixed(1)), 4, y(q) + 4);
    }
    for (const action of [-1, 0, 1]) {
      line(pen, [[x(action), 4], [x(action), bottom]], Views.colors.line, 0.5);
      label(pen, minus(`${action * torque}`), x(action) - 6, h - 14);
    }
    label(pen, "torque, N·m", left + 10, h - 2);
    pen.setLineDash([6, 5]);
    line(pen, actions.map((a, i) => [x(a), y(target[i])]), Views.colors.target, 2);
    pen.setLineDash([]);
    line(pen, actions.map((a, i) => [x(a), y(online[i])]), Views.colors.critic, 3);
    square(pen, x(actions[best]), y(online[best]), 6, Views.colors.best);
    if (noisy !== null) dot(pen, x(noisy.action), y(noisy.value), 6, Views.colors.noisy);
    line(pen, [[x(mu.action), 4], [x(mu.action), bottom]], Views.colors.now, 1);
    dot(pen, x(mu.action), y(mu.value), 6, Views.colors.now);
    if (Math.abs(mu.action) < 0.999) arrow(pen, x(mu.action), y(mu.value), clip(60 * slope, 45), Views.colors.now);
  },

  // Torque and noise of the last steps, as lines; `points` are {torque, noise}.
  trace(canvas, points, withNoise) {
    const { pen, w, h } = Views.begin(canvas);
    const x = (i) => 30 + ((w - 34) * i) / (Pendulum.STEPS - 1);
    const y = (torque) => (h / 2) * (1 - torque / 2.6);
    for (const torque of [-2, 0, 2]) {
      line(pen, [[30, y(torque)], [w, y(torque)]], Views.colors.line, 1);
      label(pen, minus(`${torque}`), 8, y(torque) + 4);
    }
    line(pen, points.map((point, i) => [x(i), y(point.torque)]), Views.colors.torque, 1.5);
    if (withNoise) line(pen, points.map((point, i) => [x(i), y(clip(point.noise, 2.6))]), Views.colors.noisy, 1.5);
  },
};

function stroke(pen, color, width) {
  Object.assign(pen, { strokeStyle: color, lineWidth: width });
  pen.stroke();
}

function line(pen, points, color, width) {
  pen.beginPath();
  points.forEach(([x, y]) => pen.lineTo(x, y));
  stroke(pen, color, width);
}

function dot(pen, x, y, radius, color, edge = null) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = color;
  pen.fill();
  if (edge) stroke(pen, edge, 2);
}

function square(pen, x, y, half, color) {
  pen.fillStyle = color;
  pen.fillRect(x - half, y - half, 2 * half, 2 * half);
}

// A horizontal arrow of some pixels to the right, or to the left if they are negative.
function arrow(pen, x, y, length, color) {
  if (Math.abs(length) < 4) return;
  const [end, back] = [x + length, Math.sign(length) * 7];
  line(pen, [[x, y], [end, y]], color, 2.5);
  line(pen, [[end - back, y - 5], [end, y], [end - back, y + 5]], color, 2.5);
}

function label(pen, text, x, y) {
  Object.assign(pen, { fillStyle: Views.colors.text, strokeStyle: Views.colors.back, lineWidth: 3, lineJoin: "round" });
  pen.strokeText(text, x, y); // to be read on any color
  pen.fillText(text, x, y);
}

// A number's text with a true minus.
const minus = (text) => text.replace("-", "−");

// Return "#rrggbb" as three numbers.
const rgb = (color) => [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));

// Return the color for x in [-1, 1] between three colors.
function mixed([low, middle, high], x) {
  const [from, part] = [x < 0 ? low : high, Math.abs(x)];
  return from.map((each, i) => middle[i] + part * (each - middle[i]));
}
