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
let otherMap = null;
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

const fixed = (x) => minus(x.toFixed(1));
const thousands = (x) => x.toLocaleString("en-US");

// Controls

// Show what belongs to the chosen run and step.
function choose() {
  const run = PLAY.runs[chosen.run];
  map = Views.newMap(networks(chosen.run).actor, run.torque);
  curves = null;
  get("about").textContent = run.about;
  const { steps, mean } = run.checkpoints[chosen.step];
  get("step-value").textContent = thousands(steps) + (mean === null ? "" : `, mean return ${fixed(mean)}`);
  get("step").setAttribute("aria-valuetext", get("step-value").textContent);
  document.querySelectorAll("#table td").forEach((cell) => {
    cell.classList.toggle("shown", cell.dataset.at === `${chosen.run} ${chosen.step}`);
  });
}

function showPlant() {
  const units = { g: "m/s²", m: "kg", l: "m" };
  for (const [name, unit] of Object.entries(units)) {
    get(name).value = chosen.plant[name];
    get(`${name}-value`).textContent = `${chosen.plant[name]} ${unit}`;
  }
}

function connect() {
  get("run").append(...PLAY.runs.map(({ name }, number) => new Option(name, number)));
  get("compare").append(new Option("nothing", -1), ...PLAY.runs.map(({ name }, number) => new Option(name, number)));
  get("run-choice").hidden = get("returns").hidden = PLAY.runs.length === 1;
  get("step").max = PLAY.runs[0].checkpoints.length - 1;
  get("step").value = chosen.step = PLAY.runs[0].checkpoints.length - 1;
  get("training").hidden = PLAY.runs.length === 1 && chosen.step === 0;
  document.querySelectorAll(".bound").forEach((each) => (each.textContent = Pendulum.MAX_TORQUE));
  const input = (id, act) => get(id).addEventListener("input", ({ target }) => act(target.value));
  input("run", (value) => { chosen.run = Number(value); choose(); });
  input("step", (value) => { chosen.step = Number(value); choose(); });
  input("compare", (value) => { chosen.other = Number(value); startAgain(); });
  input("pace", (value) => { chosen.pace = Number(value); });
  for (const name of ["g", "m", "l"]) input(name, (value) => { chosen.plant[name] = Number(value); showPlant(); });
  const newNoise = () => {
    noise = Noises[get("noise").value](Number(get("sigma").value));
    get("sigma-value").textContent = get("sigma").value;
  };
  input("noise", newNoise);
  input("sigma", newNoise);
  newNoise();
  const click = (id, act) => get(id).addEventListener("click", act);
  click("pause", pause);
  click("again", startAgain);
  click("reset", () => { chosen.plant = { ...Pendulum.PLANT, ...PLAY.plant }; showPlant(); });
  showPlant();
  fillTable();
  connectPushes();
}

function pause() {
  chosen.paused = !chosen.paused;
  get("pause").textContent = chosen.paused ? "Go on" : "Pause";
}

// Pushes: by pointer, by the arrow keys while the picture is focused, and by the buttons while they are held.
function connectPushes() {
  const canvas = get("pendulum");
  const follow = (event) => { pull = [event.offsetX, event.offsetY]; };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); follow(event); });
  canvas.addEventListener("pointermove", (event) => { if (pull) follow(event); });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { pull = null; });
  const keys = { ArrowLeft: () => (key = 1), ArrowRight: () => (key = -1), " ": pause, r: startAgain };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); // the page must not scroll
    if (!event.repeat) keys[event.key]();
  });
  const release = () => { key = 0; };
  for (const end of ["keyup", "blur"]) canvas.addEventListener(end, release);
  for (const [id, direction] of [["left", 1], ["right", -1]]) {
    const hold = () => { key = direction; };
    get(id).addEventListener("pointerdown", hold);
    get(id).addEventListener("keydown", (event) => { if (event.key === " " || event.key === "Enter") hold(); });
    for (const end of ["pointerup", "pointerleave", "pointercancel", "keyup", "blur"]) get(id).addEventListener(end, release);
  }
}

// The table of returns: a row for each run, a column for each checkpoint.
function fillTable() {
  const cell = (kind, text) => Object.assign(document.createElement(kind), { textContent: text });
  const head = (text, scope) => Object.assign(cell("th", text), { scope });
  const first = ["run, after steps", ...PLAY.runs[0].checkpoints.map(({ steps }) => thousands(steps))];
  const row = (cells) => { const tr = document.createElement("tr"); tr.append(...cells); return tr; };
  get("table").createTHead().append(row(first.map((text) => head(text, "col"))));
  get("table").createTBody().append(...PLAY.runs.map(({ name, checkpoints }, run) => row([
    head(name, "row"),
    ...checkpoints.map(({ mean }, at) => {
      const td = cell("td", mean === null ? "" : fixed(mean));
      td.dataset.at = `${run} ${at}`;
      return td;
    }),
  ])));
}

// Colors are read again when the reader changes between light and dark.
function colorful() {
  Views.readColors();
  choose();
}

connect();
colorful();
if (matchMedia("(prefers-reduced-motion: reduce)").matches) pause();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colorful);
requestAnimationFrame(draw);
