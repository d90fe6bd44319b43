// The network of a run: a static picture of groups and links, and firms drawn over it by WebGL, day by day.
// A whole run is here (a byte a firm and day), so scrubbing and playing ask nothing of the server.
const OKABE = { usual: "#56b4e9", more: "#009e73", less: "#e69f00", half: "#d55e00", closed: "#16202a" };
const STATES = [
  { key: "usual", shape: "circle", name: "as usual" },
  { key: "more", shape: "triangle", name: "more than usual" },
  { key: "less", shape: "diamond", name: "below 90 %" },
  { key: "half", shape: "square", name: "below half" },
  { key: "closed", shape: "cross", name: "makes nothing" },
];
const INK = "#16202a", MUTED = "#55606b", CLOSED = 255, NS = "http://www.w3.org/2000/svg";

// A firm's state from its byte: percent of usual output, 255 for out of business.
const stateOf = (code) => (code === CLOSED || code === 0 ? 4 : code < 50 ? 3 : code < 90 ? 2 : code > 110 ? 1 : 0);

const VERTEX = `
attribute vec2 at; attribute float size; attribute float code; attribute float struck;
uniform float scale; uniform vec2 shape; varying float state; varying float ring; varying float width;
void main() {
  gl_Position = vec4((at * 2.0 - 1.0) * shape, 0.0, 1.0);
  state = (code > 254.5 || code < 0.5) ? 4.0 : code < 49.5 ? 3.0 : code < 89.5 ? 2.0 : code > 110.5 ? 1.0 : 0.0;
  width = max(scale * (0.35 + 0.65 * size), 4.0) * (state > 1.5 ? 1.25 : 1.0);
  ring = struck; gl_PointSize = width + 2.0;
}`;
const FRAGMENT = `
precision mediump float; varying float state; varying float ring; varying float width;
float box(vec2 p, vec2 b) { vec2 d = abs(p) - b; return max(d.x, d.y); }
void main() {
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * (width + 2.0) / width;
  float d; vec3 c;
  if (state < 0.5) { d = length(p) - 0.86; c = vec3(0.337, 0.706, 0.914); }
  else if (state < 1.5) { d = max(abs(p.x) * 0.866 - p.y * 0.5 - 0.5, p.y - 0.62); c = vec3(0.0, 0.62, 0.451); }
  else if (state < 2.5) { d = (abs(p.x) + abs(p.y) - 1.0) * 0.72; c = vec3(0.902, 0.624, 0.0); }
  else if (state < 3.5) { d = box(p, vec2(0.8)); c = vec3(0.835, 0.369, 0.0); }
  else { vec2 q = vec2(p.x + p.y, p.x - p.y) * 0.7071; d = min(box(q, vec2(1.0, 0.26)), box(q, vec2(0.26, 1.0))); c = vec3(0.086, 0.125, 0.165); }
  float px = 2.0 / width;
  float cover = 1.0 - smoothstep(-px * 0.5, px * 0.5, d);
  if (cover <= 0.0) discard;
  float edge = ring > 0.5 ? min(0.3, 4.0 * px) : min(0.16, 1.2 * px);
  vec3 line = ring > 0.5 ? vec3(0.086, 0.125, 0.165) : vec3(1.0);
  gl_FragColor = vec4(mix(c, line, smoothstep(-edge - px * 0.5, -edge + px * 0.5, d)), cover);
}`;
const BACK_V = `attribute vec2 at; varying vec2 uv; void main() { uv = at * 0.5 + 0.5; gl_Position = vec4(at, 0.0, 1.0); }`;
const BACK_F = `precision mediump float; varying vec2 uv; uniform sampler2D image; void main() { gl_FragColor = texture2D(image, uv); }`;

const STYLE = `
.net { position: relative; color: ${INK}; font: inherit; }
.net-top { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; align-items: center; margin: 0 0 .5rem; font-size: .85rem; }
.net-run { font-weight: 700; margin-right: auto; font-size: .95rem; }
.net-key { display: inline-flex; align-items: center; gap: .35rem; white-space: nowrap; }
.net-key svg { width: 16px; height: 16px; }
.net-stage { position: relative; width: 100%; height: 460px; background: #fff; border: 1px solid #d5dae0; border-radius: 8px; overflow: hidden; cursor: crosshair; touch-action: pan-y; }
.net-stage:focus-visible { outline: 3px solid ${INK}; outline-offset: 2px; }
.net-stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.net-tip { position: absolute; pointer-events: none; background: ${INK}; color: #fff; padding: .25rem .5rem; border-radius: 4px; font-size: .85rem; white-space: nowrap; max-width: 90%; overflow: hidden; text-overflow: ellipsis; transform: translate(-50%, -135%); z-index: 2; }
.net-mark { position: absolute; pointer-events: none; border: 3px solid ${INK}; border-radius: 50%; box-shadow: 0 0 0 2px #fff; transform: translate(-50%, -50%); }
.net-time { display: grid; grid-template-columns: auto 1fr auto; gap: .2rem .8rem; align-items: center; margin-top: .6rem; }
.net-time canvas { grid-column: 2; width: 100%; height: 46px; display: block; }
.net-play { grid-row: 2; font: inherit; font-weight: 700; min-width: 84px; min-height: 40px; border-radius: 6px; border: 1px solid #0072b2; background: #0072b2; color: #fff; cursor: pointer; }
.net-play:focus-visible, .net-time input:focus-visible, .net-find input:focus-visible, .net-save:focus-visible { outline: 3px solid ${INK}; outline-offset: 2px; }
.net-time input { grid-row: 2; grid-column: 2; width: 100%; height: 28px; margin: 0; accent-color: #0072b2; cursor: pointer; }
.net-day { grid-row: 2; font-weight: 700; font-size: 1.05rem; min-width: 5.2em; font-variant-numeric: tabular-nums; text-align: right; }
.net-foot { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin-top: .5rem; font-size: .85rem; color: ${MUTED}; }
.net-find { display: inline-flex; align-items: center; gap: .4rem; color: ${INK}; font-weight: 600; }
.net-find input { font: inherit; font-weight: 400; padding: .3rem .5rem; min-height: 36px; width: 15em; max-width: 55vw; border: 1px solid #8b95a0; border-radius: 6px; background: #fff; color: inherit; }
.net-save { font: inherit; color: #005a8e; background: none; border: 0; text-decoration: underline; cursor: pointer; min-height: 36px; margin-left: auto; }
.net-said { margin: .3rem 0 0; font-size: .95rem; min-height: 1.4em; }
.net-big .net-stage { height: 620px; }
.net-big .net-top, .net-big .net-foot { font-size: 1.05rem; }
@media (max-width: 640px) { .net-stage, .net-big .net-stage { height: 340px; } .net-time { grid-template-columns: auto 1fr; } .net-day { grid-row: 1; grid-column: 1; text-align: left; min-width: 0; } .net-save { margin-left: 0; } }
`;

function make(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

function keyShape(state) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 20 20"); svg.setAttribute("aria-hidden", "true");
  const paths = {
    circle: "M10 2a8 8 0 1 0 .01 0z", triangle: "M10 2L18.5 17H1.5z", diamond: "M10 1L19 10L10 19L1 10z", square: "M2.5 2.5h15v15h-15z",
    cross: "M5 2L10 7L15 2L18 5L13 10L18 15L15 18L10 13L5 18L2 15L7 10L2 5z",
  };
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", paths[state.shape]); path.setAttribute("fill", OKABE[state.key]);
  svg.append(path);
  return svg;
}

const bytes = (v) => (v ? new Uint8Array(v.buffer ?? v, v.byteOffset ?? 0, v.byteLength) : new Uint8Array());
// Zlib and little-endian numbers may begin anywhere in a message; a copy begins at 0.
async function unpack(v) {
  const raw = bytes(v);
  if (!raw.length) return raw;
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function program(gl, vertex, fragment) {
  const p = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const s = gl.createShader(kind);
    gl.shaderSource(s, text); gl.compileShader(s);
    if (!gl.getShaderParameter(s, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(s));
    gl.attachShader(p, s);
  }
  gl.linkProgram(p);
  return p;
}

function buffer(gl, data, usage) {
  const b = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, b); gl.bufferData(gl.ARRAY_BUFFER, data, usage);
  return b;
}

class Net {
  constructor(model, el) {
    this.model = model; this.el = el;
    this.n = 0; this.days = 0; this.day = 0; this.selected = -1; this.playing = false; this.drawn = 0;
    this.build();
    this.ask = this.ask.bind(this);
    const on = (name, act) => model.on(`change:${name}`, act);
    on("scene", () => this.newScene()); on("frames", () => this.newRun()); on("label", () => this.words());
    on("day", () => { if (!this.playing && model.get("day") !== this.day) this.setDay(model.get("day"), true); });
    on("selected", () => { if (model.get("selected") !== this.selected) this.select(model.get("selected"), true); });
    on("big", () => { this.root.classList.toggle("net-big", model.get("big")); this.resize(); });
    this.ready = this.newScene();
  }

  build() {
    if (!document.getElementById("ecosim-net")) {
      const style = make("style"); style.id = "ecosim-net"; style.textContent = STYLE; document.head.append(style);
    }
    const root = (this.root = make("div", "net"));
    root.classList.toggle("net-big", this.model.get("big"));
    root.net = this;
    const top = make("div", "net-top");
    this.run = make("span", "net-run");
    top.append(this.run);
    for (const state of STATES) {
      const key = make("span", "net-key"); key.append(keyShape(state), make("span", "", state.name)); top.append(key);
    }
    const ringed = make("span", "net-key", "◉ struck directly (dark edge)");
    top.append(ringed);
    this.stage = make("div", "net-stage");
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "application");
    this.stage.setAttribute("aria-roledescription", "network of firms");
    this.canvas = make("canvas"); this.canvas.setAttribute("aria-hidden", "true");
    this.mark = make("div", "net-mark"); this.mark.hidden = true;
    this.tip = make("div", "net-tip"); this.tip.hidden = true;
    this.stage.append(this.canvas, this.mark, this.tip);
    const time = make("div", "net-time");
    this.strip = make("canvas"); this.strip.setAttribute("aria-hidden", "true");
    this.play = make("button", "net-play", "▶ Play"); this.play.type = "button";
    this.range = make("input"); this.range.type = "range"; this.range.min = 0; this.range.step = 1; this.range.setAttribute("aria-label", "Day of the run");
    this.output = make("output", "net-day");
    time.append(this.strip, this.play, this.range, this.output);
    const foot = make("div", "net-foot");
    const find = make("label", "net-find", "Find");
    this.find = make("input"); this.find.type = "search"; this.find.placeholder = "name of a firm, then Enter"; this.find.autocomplete = "off";
    find.append(this.find);
    this.count = make("span");
    this.save = make("button", "net-save", "Picture (PNG)"); this.save.type = "button";
    foot.append(find, this.count, this.save);
    this.said = make("p", "net-said"); this.said.setAttribute("aria-live", "polite");
    root.append(top, this.stage, time, foot, this.said);
    this.el.append(root);
    this.hands();
    this.paper = document.createElement("canvas");
    this.gl = this.canvas.getContext("webgl", { alpha: false, antialias: false, powerPreference: "low-power" });
    if (this.gl) this.start();
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.stage);
  }

  hands() {
    this.range.addEventListener("input", () => { this.pause(); this.setDay(Number(this.range.value)); });
    this.range.addEventListener("change", () => this.tell());
    this.play.addEventListener("click", () => (this.playing ? this.pause() : this.start_()));
    this.save.addEventListener("click", () => this.picture());
    this.find.addEventListener("keydown", (e) => { if (e.key === "Enter") { e.preventDefault(); this.search(this.find.value); } });
    this.stage.addEventListener("pointermove", (e) => this.hover(e));
    this.stage.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    this.stage.addEventListener("click", (e) => { const at = this.near(e); if (at >= 0) this.select(at); });
    this.stage.addEventListener("keydown", (e) => this.key(e));
  }

  key(e) {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (step) { e.preventDefault(); this.walk(step); }
    else if (e.key === "Home" || e.key === "w") { e.preventDefault(); this.worst(); }
    else if (e.key === " ") { e.preventDefault(); this.playing ? this.pause() : this.start_(); }
    else if (e.key === "," || e.key === ".") { this.pause(); this.setDay(this.day + (e.key === "." ? 1 : -1)); this.ask(); }
    else if (e.key === "Escape") this.select(-1);
  }

  // From the selected firm to the nearest one in a direction.
  walk([dx, dy]) {
    if (this.selected < 0) return this.worst();
    const [x, y] = this.place(this.selected);
    let best = -1, least = Infinity;
    for (let i = 0; i < this.n; i++) {
      const [u, v] = this.place(i), a = (u - x) * dx + (v - y) * dy, b = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
      if (a > 1e-6 && a + 2 * b < least && b < 2 * a) { least = a + 2 * b; best = i; }
    }
    if (best >= 0) this.select(best);
  }

  worst() {
    let best = 0, least = Infinity;
    for (let i = 0; i < this.n; i++) {
      const code = this.code(i);
      const made = code === CLOSED ? -1 : code;
      if (made < least) { least = made; best = i; }
    }
    this.select(best);
  }

  search(text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return;
    let at = this.names.findIndex((name) => name.toLowerCase() === wanted);
    if (at < 0) at = this.names.findIndex((name) => name.toLowerCase().includes(wanted));
    if (at < 0) this.said.textContent = `No firm's name has “${text.trim()}” in it.`;
    else this.select(at);
  }

  start() {
    const gl = this.gl;
    this.points = program(gl, VERTEX, FRAGMENT);
    this.back = program(gl, BACK_V, BACK_F);
    this.scaleAt = gl.getUniformLocation(this.points, "scale");
    this.shapeAt = gl.getUniformLocation(this.points, "shape");
    this.slots = new Map([this.points, this.back].map((p) => [p, Object.fromEntries(["at", "size", "code", "struck"].map((name) => [name, gl.getAttribLocation(p, name)]))]));
    this.quad = buffer(gl, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    this.texture = gl.createTexture();
    gl.enable(gl.BLEND); gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  // --- what comes from the server -------------------------------------------------------------------------------

  async newScene() {
    const m = this.model, scene = m.get("scene"), turn = (this.turn = (this.turn || 0) + 1);
    if (!scene || !scene.nodes) return;
    const [pairs, names] = await Promise.all([unpack(m.get("links")), unpack(m.get("names"))]);
    if (turn !== this.turn) return;
    this.n = scene.nodes; this.groups = scene.groups; this.cells = scene.cells;
    const at = new Uint16Array(bytes(m.get("at")).slice().buffer);
    this.at = new Float32Array(at.length);
    for (let i = 0; i < at.length; i++) this.at[i] = at[i] / 65535;
    this.size = bytes(m.get("size")).slice();
    this.pairs = new Uint32Array(pairs.buffer);
    this.names = new TextDecoder().decode(names).split("\n");
    this.count.textContent = scene.words;
    if (this.gl) {
      const gl = this.gl;
      this.atBuffer = buffer(gl, this.at, gl.STATIC_DRAW);
      this.sizeBuffer = buffer(gl, this.size, gl.STATIC_DRAW);
      this.codeBuffer = buffer(gl, new Uint8Array(this.n), gl.DYNAMIC_DRAW);
      this.struckBuffer = buffer(gl, new Uint8Array(this.n), gl.STATIC_DRAW);
    }
    if (this.selected >= this.n) this.selected = -1;
    await this.newRun();
    this.resize();
  }

  async newRun() {
    const turn = (this.runTurn = (this.runTurn || 0) + 1), m = this.model;
    const changes = await unpack(m.get("frames"));
    if (turn !== this.runTurn || !this.n) return;
    if (changes.length % this.n) return; // a run of another scene: its own scene is on its way
    const n = this.n, days = changes.length / n;
    for (let i = n; i < changes.length; i++) changes[i] = (changes[i] + changes[i - n]) & 255;
    this.codes = changes; this.days = days;
    this.curve = [...new Float32Array(bytes(m.get("curve")).slice().buffer)]; this.events = m.get("events"); this.still = null;
    const struck = bytes(m.get("struck"));
    if (this.gl && struck.length === n) {
      this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.struckBuffer); this.gl.bufferSubData(this.gl.ARRAY_BUFFER, 0, struck);
    }
    this.struck = struck;
    this.range.max = days - 1;
    this.words();
    this.setDay(Math.min(this.seen ? this.day : m.get("day"), days - 1), true);
    this.seen = true;
    this.root.dataset.ready = String((Number(this.root.dataset.ready) || 0) + 1);
  }

  words() {
    this.run.textContent = this.model.get("label");
    this.stage.setAttribute("aria-label",
      `${this.model.get("label")}: ${this.n} ${this.cells ? "cells" : "firms"}. Arrow keys go from firm to firm, Home to the one worst off, space plays, comma and full stop step a day.`);
  }

  // --- time -----------------------------------------------------------------------------------------------------

  setDay(day, quiet) {
    this.day = Math.max(0, Math.min(this.days - 1, day | 0));
    this.range.value = this.day;
    const shown = `day ${this.day}`;
    if (this.output.textContent !== shown) this.output.textContent = shown;
    this.range.setAttribute("aria-valuetext", this.summary());
    this.draw(); this.drawStrip();
    if (!this.playing) this.describe();
    if (!quiet && !this.playing) this.ask();
  }

  summary() {
    const now = (this.events || []).filter((e) => e.day === this.day).map((e) => e.label).join(", ");
    const made = this.curve && this.curve[this.day] !== undefined ? `, output ${this.curve[this.day].toFixed(0)} percent` : "";
    return `day ${this.day}${made}${now ? ", " + now : ""}`;
  }

  ask() { clearTimeout(this.timer); this.timer = setTimeout(() => this.tell(), 250); }
  tell() {
    clearTimeout(this.timer);
    if (this.model.get("day") !== this.day) { this.model.set("day", this.day); this.model.save_changes(); }
  }

  start_() {
    if (this.day >= this.days - 1) this.setDay(0, true);
    this.playing = true; this.play.textContent = "❚❚ Pause";
    const speed = Math.max(8, this.days / 15), from = this.day, begun = performance.now();
    const tick = (now) => {
      if (!this.playing) return;
      const day = from + Math.floor(((now - begun) / 1000) * speed);
      if (day !== this.day) this.setDay(day, true);
      if (this.day >= this.days - 1) return this.pause();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false; this.play.textContent = "▶ Play"; this.describe(); this.tell();
  }

  // --- the picture ----------------------------------------------------------------------------------------------

  code(i) { return this.codes ? this.codes[this.day * this.n + i] : 100; }
  place(i) { return [this.at[2 * i], this.at[2 * i + 1]]; }
  // Shares of the picture to pixels of the stage: a square in the middle, with a margin.
  pixel(x, y) {
    const [w, h] = [this.stage.clientWidth, this.stage.clientHeight], [sx, sy] = this.shape();
    return [w / 2 + (x - 0.5) * w * sx, h / 2 - (y - 0.5) * h * sy];
  }
  shape() {
    const w = this.stage.clientWidth, h = this.stage.clientHeight, margin = 0.94;
    const box = this.box || [1, 1], fit = Math.min((w / box[0]), (h / box[1])) * margin;
    return [fit / w, fit / h];
  }

  resize() {
    const w = this.stage.clientWidth, h = this.stage.clientHeight;
    if (!w || !h || !this.n) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    let [ax, ay, bx, by] = [1, 1, 0, 0];
    for (const [, x, y, r] of this.groups) { ax = Math.min(ax, x - r); bx = Math.max(bx, x + r); ay = Math.min(ay, y - r); by = Math.max(by, y + r); }
    this.box = [Math.max(bx - ax, 0.05), Math.max(by - ay, 0.05)];
    this.canvas.width = this.paper.width = Math.round(w * ratio);
    this.canvas.height = this.paper.height = Math.round(h * ratio);
    this.ratio = ratio;
    this.drawPaper(); this.draw(); this.drawStrip(); this.putMark();
  }

  dot() {
    const [sx] = this.shape(), wide = this.stage.clientWidth * sx;
    return Math.max(5, Math.min(26, (1.55 * wide) / Math.sqrt(this.n * 3.2 + 20)));
  }

  drawPaper() {
    const c = this.paper.getContext("2d"), r = this.ratio, w = this.stage.clientWidth;
    c.setTransform(r, 0, 0, r, 0, 0);
    c.fillStyle = "#ffffff"; c.fillRect(0, 0, w, this.stage.clientHeight);
    const scale = w * this.shape()[0];
    for (const [, x, y, radius] of this.groups) {
      const [px, py] = this.pixel(x, y);
      c.beginPath(); c.arc(px, py, radius * scale, 0, 7); c.fillStyle = "#f1f3f6"; c.fill();
    }
    const many = this.pairs.length / 2;
    c.strokeStyle = INK; c.lineWidth = 0.7; c.globalAlpha = Math.max(0.02, Math.min(0.22, 60 / many));
    c.beginPath();
    for (let i = 0; i < this.pairs.length; i += 2) this.line(c, this.pairs[i], this.pairs[i + 1]);
    c.stroke();
    if (this.selected >= 0) {
      for (const [own, colour] of [[1, "#cc79a7"], [0, "#0072b2"]]) { // who supplies it, whom it supplies
        c.globalAlpha = 0.95; c.lineWidth = 2; c.strokeStyle = colour; c.beginPath();
        for (let i = 0; i < this.pairs.length; i += 2) if (this.pairs[i + own] === this.selected) this.line(c, this.pairs[i], this.pairs[i + 1]);
        c.stroke();
      }
    }
    c.globalAlpha = 1;
    const big = this.model.get("big"), size = big ? 17 : 13;
    c.font = `600 ${size}px system-ui, "Segoe UI", sans-serif`; c.textAlign = "center";
    for (const [name, x, y, radius] of this.groups) {
      const [px, py] = this.pixel(x, y), room = Math.max(radius * scale * 2, 60);
      if (radius * scale < 24) continue;
      let text = name;
      while (text.length > 4 && c.measureText(text).width > room) text = text.slice(0, -2).trimEnd() + "…";
      const top = Math.max(py - radius * scale + size * 0.2, size + 1);
      c.lineWidth = 4; c.strokeStyle = "rgba(255,255,255,.9)"; c.strokeText(text, px, top); c.fillStyle = INK; c.fillText(text, px, top);
    }
    if (this.n <= 40 && !this.cells && w >= 600) this.drawNames(c, big ? 15 : 11.5);
    if (this.gl) {
      const gl = this.gl;
      gl.bindTexture(gl.TEXTURE_2D, this.texture); gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, true);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, this.paper);
      for (const [what, how] of [[gl.TEXTURE_MIN_FILTER, gl.NEAREST], [gl.TEXTURE_MAG_FILTER, gl.NEAREST], [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]])
        gl.texParameteri(gl.TEXTURE_2D, what, how);
    }
  }

  drawNames(c, size) { // below each firm of a small town, the largest first; what would lie on another is left out
    const taken = [], order = [...this.names.keys()].sort((a, b) => this.size[b] - this.size[a]);
    c.font = `${size}px system-ui, "Segoe UI", sans-serif`; c.lineWidth = 3; c.strokeStyle = "rgba(255,255,255,.9)"; c.fillStyle = INK;
    for (const i of order) {
      const [x, y] = this.pixel(this.at[2 * i], this.at[2 * i + 1]), half = c.measureText(this.names[i]).width / 2;
      const low = y + this.dot() * (0.35 + (0.65 * this.size[i]) / 255) * 0.65 + size;
      if (taken.some(([u, v, wide]) => Math.abs(u - x) < half + wide && Math.abs(v - low) < size)) continue;
      taken.push([x, low, half]);
      c.strokeText(this.names[i], x, low); c.fillText(this.names[i], x, low);
    }
  }

  line(c, a, b) {
    const [x, y] = this.pixel(this.at[2 * a], this.at[2 * a + 1]), [u, v] = this.pixel(this.at[2 * b], this.at[2 * b + 1]);
    c.moveTo(x, y); c.lineTo(u, v);
  }

  draw() {
    if (!this.codes || !this.canvas.width || !this.ratio) return;
    this.drawn++;
    if (!this.gl) return this.drawPlain();
    const gl = this.gl, today = this.codes.subarray(this.day * this.n, (this.day + 1) * this.n);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.useProgram(this.back); gl.disable(gl.BLEND);
    this.feed(this.back, "at", this.quad, 2, gl.FLOAT, false);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.enable(gl.BLEND); gl.useProgram(this.points);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.codeBuffer); gl.bufferSubData(gl.ARRAY_BUFFER, 0, today);
    this.feed(this.points, "at", this.atBuffer, 2, gl.FLOAT, false);
    this.feed(this.points, "size", this.sizeBuffer, 1, gl.UNSIGNED_BYTE, true);
    this.feed(this.points, "code", this.codeBuffer, 1, gl.UNSIGNED_BYTE, false);
    this.feed(this.points, "struck", this.struckBuffer, 1, gl.UNSIGNED_BYTE, false);
    gl.uniform1f(this.scaleAt, this.dot() * this.ratio);
    gl.uniform2f(this.shapeAt, ...this.shape());
    gl.drawArrays(gl.POINTS, 0, this.n);
  }

  feed(p, name, b, parts, kind, share) {
    const gl = this.gl, at = this.slots.get(p)[name];
    gl.bindBuffer(gl.ARRAY_BUFFER, b); gl.enableVertexAttribArray(at); gl.vertexAttribPointer(at, parts, kind, share, 0, 0);
  }

  // Without WebGL: the same shapes on a plain canvas, slower.
  drawPlain() {
    const c = this.canvas.getContext("2d"), r = this.ratio;
    c.setTransform(1, 0, 0, 1, 0, 0); c.drawImage(this.paper, 0, 0); c.setTransform(r, 0, 0, r, 0, 0);
    for (let i = 0; i < this.n; i++) {
      const [x, y] = this.pixel(...this.place(i)), state = STATES[stateOf(this.code(i))];
      const d = (this.dot() * (0.35 + (0.65 * this.size[i]) / 255)) / 2;
      c.fillStyle = OKABE[state.key]; c.beginPath();
      if (state.shape === "circle") c.arc(x, y, d, 0, 7);
      else if (state.shape === "triangle") { c.moveTo(x, y - d); c.lineTo(x + d, y + d * 0.8); c.lineTo(x - d, y + d * 0.8); }
      else if (state.shape === "diamond") { c.moveTo(x, y - d); c.lineTo(x + d, y); c.lineTo(x, y + d); c.lineTo(x - d, y); }
      else c.rect(x - d * 0.8, y - d * 0.8, d * 1.6, d * 1.6);
      c.fill();
      if (this.struck && this.struck[i]) { c.closePath(); c.strokeStyle = INK; c.lineWidth = 1.5; c.stroke(); }
    }
  }

  // Output of this run under the picture, with events, and where the day is.
  drawStrip() {
    const w = this.strip.clientWidth, h = 46, r = this.ratio || 1;
    if (!w || !this.curve || !this.curve.length) return;
    const wide = Math.round(w * r), edge = 9, c = this.strip.getContext("2d");
    if (this.strip.width !== wide || !this.still) {
      this.strip.width = wide; this.strip.height = Math.round(h * r);
      this.still = this.drawCurve(w, h, r);
    }
    c.setTransform(1, 0, 0, 1, 0, 0); c.clearRect(0, 0, wide, this.strip.height); c.drawImage(this.still, 0, 0);
    const x = edge + ((w - 2 * edge) * this.day) / Math.max(this.days - 1, 1);
    c.setTransform(r, 0, 0, r, 0, 0);
    c.strokeStyle = INK; c.lineWidth = 2.5; c.beginPath(); c.moveTo(x, 0); c.lineTo(x, h); c.stroke();
  }

  drawCurve(w, h, r) {
    const still = document.createElement("canvas"), c = still.getContext("2d");
    still.width = Math.round(w * r); still.height = Math.round(h * r); c.setTransform(r, 0, 0, r, 0, 0);
    const low = Math.min(...this.curve, 95), high = Math.max(...this.curve, 102), edge = 9;
    const X = (d) => edge + ((w - 2 * edge) * d) / Math.max(this.days - 1, 1), Y = (v) => 3 + (h - 6) * (1 - (v - low) / (high - low));
    c.strokeStyle = "#d5dae0"; c.lineWidth = 1; c.beginPath(); c.moveTo(edge, Y(100)); c.lineTo(w - edge, Y(100)); c.stroke();
    c.fillStyle = "#0072b2"; c.globalAlpha = 0.15; c.beginPath(); c.moveTo(edge, Y(100));
    this.curve.forEach((v, d) => c.lineTo(X(d), Y(v))); c.lineTo(X(this.days - 1), Y(100)); c.fill(); c.globalAlpha = 1;
    c.strokeStyle = "#0072b2"; c.lineWidth = 2; c.beginPath(); this.curve.forEach((v, d) => (d ? c.lineTo(X(d), Y(v)) : c.moveTo(X(d), Y(v)))); c.stroke();
    for (const event of this.events || []) {
      c.strokeStyle = event.kind === "shock" ? OKABE.half : MUTED; c.lineWidth = 1.5; c.setLineDash(event.kind === "shock" ? [] : [2, 3]);
      c.beginPath(); c.moveTo(X(event.day), 0); c.lineTo(X(event.day), h); c.stroke();
    }
    return still;
  }

  // --- firms ----------------------------------------------------------------------------------------------------

  near(e) {
    if (!this.n) return -1;
    const box = this.stage.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    let best = -1, least = Math.max(16, this.dot()) ** 2;
    for (let i = 0; i < this.n; i++) {
      const [u, v] = this.pixel(this.at[2 * i], this.at[2 * i + 1]), d = (u - x) ** 2 + (v - y) ** 2;
      if (d < least) { least = d; best = i; }
    }
    return best;
  }

  hover(e) {
    const at = this.near(e);
    this.tip.hidden = at < 0;
    if (at < 0) return;
    const [x, y] = this.pixel(...this.place(at));
    this.tip.textContent = this.line_(at);
    const half = this.tip.offsetWidth / 2;
    this.tip.style.left = `${Math.max(half + 4, Math.min(this.stage.clientWidth - half - 4, x))}px`;
    this.tip.style.top = `${Math.max(y, 42)}px`;
  }

  line_(at) {
    const code = this.code(at);
    const made = code === CLOSED ? "out of business" : `${code}${code === 254 ? " or more" : ""} % of usual output`;
    return `${this.names[at]}: ${made}${this.struck && this.struck[at] ? ", struck directly" : ""}`;
  }

  describe() {
    const text = this.selected >= 0 && this.n ? `Day ${this.day}: ${this.line_(this.selected)}.` : this.crowd();
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  crowd() {
    if (!this.codes) return "";
    const count = [0, 0, 0, 0, 0];
    for (let i = 0; i < this.n; i++) count[stateOf(this.code(i))]++;
    const off = count[2] + count[3] + count[4], what = this.cells ? "cells" : "firms";
    return `Day ${this.day}: ${off.toLocaleString("en-GB")} of ${this.n.toLocaleString("en-GB")} ${what} make less than 90 % of the usual, ${(count[3] + count[4]).toLocaleString("en-GB")} less than half.`;
  }

  select(at, quiet) {
    this.selected = at;
    this.drawPaper(); this.draw(); this.putMark(); this.describe();
    if (!quiet) { this.model.set("selected", at); this.model.set("day", this.day); this.model.save_changes(); }
  }

  putMark() {
    this.mark.hidden = this.selected < 0 || !this.n;
    if (this.mark.hidden) return;
    const [x, y] = this.pixel(...this.place(this.selected)), wide = this.dot() + 14;
    Object.assign(this.mark.style, { left: `${x}px`, top: `${y}px`, width: `${wide}px`, height: `${wide}px` });
  }

  picture() {
    this.draw();
    this.canvas.toBlob((blob) => {
      const a = make("a"); a.href = URL.createObjectURL(blob); a.download = `network_day_${this.day}.png`;
      document.body.append(a); a.click(); a.remove(); setTimeout(() => URL.revokeObjectURL(a.href), 2000);
    });
  }

  end() {
    this.playing = false; clearTimeout(this.timer); this.watch.disconnect();
    const lose = this.gl && this.gl.getExtension("WEBGL_lose_context");
    if (lose) lose.loseContext();
    this.root.remove();
  }
}

export default {
  render({ model, el }) {
    const net = new Net(model, el);
    return () => net.end();
  },
};
