// The page: what the reader has chosen, one step of the task at a time, and a picture per frame.
const get = (id) => document.getElementById(id);
const MAX_PUSH = 6; // N·m: three times what the actor has
const HISTORY = []; // {torque, noise} of the last steps

// What the reader has chosen.
const chosen = { run: 0, other: -1, step: 0, plant: { ...Pendulum.PLANT, ...PLAY.plant }, pace: 1, paused: false };
let noise = Noises.none();
let key = 0; // a push by key or button: -1, 0 or 1
let pull = null; // where the pointer pulls, in pixels

// Networks are decoded when they are first shown.
const decoded = new Map();
function networks(run) {
  const checkpoint = PLAY.runs[run].checkpoints[chosen.step];
  if (!decoded.has(checkpoint)) {
    const each = ["actor", "critic", "target_critic"].map((name) => [name, Networks.decode(checkpoint[name])]);
    decoded.set(checkpoint, Object.fromEntries(each));
  }
  return decoded.get(checkpoint);
}

// A pendulum under the policy of a run.
const newPendulum = (state) => ({ state, before: state, steps: 0, total: 0, action: 0, mu: 0 });
let main = newPendulum(Pendulum.start());
let other = newPendulum(main.state);
let last = null; // the return of the last episode

function startAgain() {
  main = newPendulum(Pendulum.start());
  other = newPendulum(main.state);
  HISTORY.length = 0;
  noise = Noises[get("noise").value](Number(get("sigma").value));
}

// One step of one pendulum: equation 6, then the task.
function advance(pendulum, run, disturbance, push) {
  pendulum.mu = Networks.act(networks(run).actor, Pendulum.observe(pendulum.state));
  pendulum.action = clip(pendulum.mu + disturbance, 1);
  pendulum.before = pendulum.state;
  const torque = pendulum.action * PLAY.runs[run].torque;
  const { state, reward } = Pendulum.step(pendulum.state, torque, chosen.plant, push);
  Object.assign(pendulum, { state, steps: pendulum.steps + 1, total: pendulum.total + reward });
  return torque;
}

function step() {
  const [disturbance, push] = [noise(), pushed()];
  const torque = advance(main, chosen.run, disturbance, push);
  if (chosen.other >= 0) advance(other, chosen.other, disturbance, push);
  HISTORY.push({ torque, noise: disturbance * PLAY.runs[chosen.run].torque });
  if (HISTORY.length > Pendulum.STEPS) HISTORY.shift();
  if (main.steps >= Pendulum.STEPS && get("limit").checked) {
    last = chosen.other >= 0 ? [main.total, other.total] : [main.total];
    startAgain();
  }
}

// The reader's torque: that of a key, or that of a spring between the tip and the pointer.
function pushed() {
  if (!pull) return key * MAX_PUSH * 0.6;
  const canvas = get("pendulum");
  const [x, y] = [pull[0] - canvas.clientWidth / 2, pull[1] - canvas.clientHeight / 2];
  const { angle } = main.state;
  return clip((3 * (y * Math.sin(angle) - x * Math.cos(angle))) / Views.unit(canvas.clientWidth), MAX_PUSH);
}

// Pictures

let map = null;
let frame = 0;
let curves = null;
let time = null; // of the last frame, in seconds
let due = 0; // steps, of which the fraction is shown as a part of the way

function draw(now) {
  const passed = Math.min(0.1, time === null ? 0 : now / 1000 - time);
  time = now / 1000;
  if (!chosen.paused) due += (passed * chosen.pace) / Pendulum.DT;
  for (; due >= 1; due--) step();
  show(due);
  frame += 1;
  requestAnimationFrame(draw);
}

// Draw everything, a part of the way from the last state to the present one.
function show(part) {
  const [state, beside] = [between(main, part), chosen.other >= 0 ? between(other, part) : null];
  const { g, ...plant } = chosen.plant;
  const torque = PLAY.runs[chosen.run].torque;
  Views.pendulum(get("pendulum"), {
    angle: state.angle, torque: main.action * torque, length: plant.l, mass: plant.m, other: beside && beside.angle, pull,
  });
  if (map.row < Views.MAP[1]) Views.fillMap(map, 4);
  Views.policy(get("policy"), map, beside ? [state, beside] : [state]);
  showValue(state, torque);
  Views.trace(get("trace"), HISTORY, get("noise").value !== "none");
  if (frame % 6 === 0) showNumbers();
}

const between = ({ before, state }, part) => ({
  angle: before.angle + part * (state.angle - before.angle),
  speed: before.speed + part * (state.speed - before.speed),
});

// Both curves of Q; of large networks with fewer points, and not in every frame.
function showValue(state, torque) {
  const { actor, critic, target_critic } = networks(chosen.run);
  const large = Networks.size(critic) > 20_000;
  if (!curves || !large || frame % 5 === 0) {
    const seen = Pendulum.observe(state);
    const count = large ? 21 : 61;
    const actions = Array.from({ length: count }, (_, i) => (2 * i) / (count - 1) - 1);
    const q = (action) => Networks.value(critic, seen, action);
    const online = actions.map(q);
    const mu = Networks.act(actor, seen);
    const noisy = get("noise").value === "none" ? null : clip(mu + main.action - main.mu, 1);
    curves = {
      actions, online, target: actions.map((action) => Networks.value(target_critic, seen, action)),
      mu: { action: mu, value: q(mu) }, best: online.indexOf(Math.max(...online)),
      noisy: noisy === null ? null : { action: noisy, value: q(noisy) },
      slope: (q(mu + 0.01) - q(mu - 0.01)) / 0.02, torque,
    };
  }
  Views.value(get("value"), curves);
}

function showNumbers() {
  const degrees = ((wrap(main.state.angle) * 180) / Math.PI).toFixed(0);
  const totals = chosen.other >= 0 ? `${fixed(main.total)} (beside it ${fixed(other.total)})` : fixed(main.total);
  const before = last ? `; last episode ${last.map(fixed).join(" and ")}` : "";
  get("status").textContent =
    `Step ${main.steps}, angle ${minus(degrees)}°, speed ${fixed(main.state.speed)} rad/s, torque ` +
    `${fixed(main.action * PLAY.runs[chosen.run].torque)} N·m. Return so far ${totals}${before}.`;
}

const fixed = (x) => minus(x.toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 }));
const thousands = (x) => x.toLocaleString("en-US");
