// The controls: what the reader chooses changes `chosen` and the noise, and the page begins.

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
