"use strict";
// The lesson in the browser: steps, bets, and worlds whose settings were all lived beforehand. Nothing is asked for.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const safe = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const number = (value, digits, sign = false) => {
    const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    if (Number(text.replace(/,/g, "")) === 0) return text;
    return (value < 0 ? "−" : sign ? "+" : "") + text;
  };
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  /** Half of Student's 95 % interval of the mean. */
  const half = (values) => {
    if (values.length < 2) return 0;
    const middle = mean(values);
    const spread = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
    return data.student * Math.sqrt(spread / values.length);
  };

  // --- the numbers ---------------------------------------------------------------------------------------------

  let runs, course, watchedCourse, firms, struck;

  async function unpack() {
    const packed = Uint8Array.from(atob($("#blob").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(stream).arrayBuffer();
    let from = 0;
    const take = (Kind, count) => {
      const part = new Kind(bytes.slice(from, from + count * Kind.BYTES_PER_ELEMENT));
      from += count * Kind.BYTES_PER_ELEMENT;
      return part;
    };
    const many = data.towns[0].names.length, watched = data.points * data.shown;
    runs = take(Float32Array, data.points * data.outcomes.length * data.replicates);
    course = take(Int16Array, data.points * 3 * data.days);
    watchedCourse = take(Int16Array, watched * data.days);
    firms = take(Uint8Array, watched * many * data.days);
    struck = take(Uint8Array, watched * many);
    for (let row = 0; row < watched * many; row++)
      for (let day = 1; day < data.days; day++) firms[row * data.days + day] += firms[row * data.days + day - 1];
  }
  const ofRuns = (point, outcome) => {
    const from = (point * data.outcomes.length + outcome) * data.replicates;
    return [...runs.subarray(from, from + data.replicates)];
  };
  const daysOf = (array, row) => array.subarray(row * data.days, (row + 1) * data.days);
  const pointOf = (at) => data.levers.reduce((sum, lever, i) => sum * lever.values.length + at[i], 0);

  // --- shapes: what a colour says, a shape says, too -----------------------------------------------------------

  const STATES = [
    ["trouble", "less than half of usual", (r) => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`],
    ["strained", "50 to 90 %", (r) => `M0 ${-1.3 * r}L${1.25 * r} ${0.9 * r}H${-1.25 * r}z`],
    ["usual", "as usual", (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`],
    ["more", "more than 105 %", (r) => `M0 ${-1.35 * r}L${1.35 * r} 0L0 ${1.35 * r}L${-1.35 * r} 0z`],
  ];
  const stateOf = (percent) => (percent < 50 ? 0 : percent < 90 ? 1 : percent <= 105 ? 2 : 3);
  const legend = STATES.map(([name, words, shape]) =>
    `<li><svg viewBox="-10 -10 20 20" aria-hidden="true"><path class="node ${name}" d="${shape(7)}"/></svg> ${words}</li>`,
  ).join("") + '<li><svg viewBox="-10 -10 20 20" aria-hidden="true"><circle class="ring" r="8"/></svg> damaged by the event</li>';

  // --- a world -------------------------------------------------------------------------------------------------

  const LEFT = 84, RIGHT = 14, TOP = 22, BOTTOM = 40, WIDE = 720, HIGH = 230;
  let made = 0;

  class World {
    constructor(root, look) {
      Object.assign(this, { root, look, at: [...look.at], run: 0, chosen: -1, playing: 0, id: `world-${made++}` });
      this.pinned = pointOf(look.at);
      root.innerHTML = `
        <div class="levers"${look.levers.length ? "" : " hidden"}>${look.levers.map((i) => this.lever(i)).join("")}</div>
        <div class="left">
          <figure class="network"><figcaption></figcaption><svg viewBox="0 0 ${data.box.join(" ")}" role="img"></svg>
            <ul class="legend">${legend}</ul></figure>
          <div class="clock"><button type="button" class="play">Play</button>
            <input type="range" min="0" max="${data.days - 1}" aria-label="Day"><output></output></div>
          <div class="firm"><label for="${this.id}-firm">Look at a business</label><select id="${this.id}-firm"></select><p></p></div>
          <figure class="chart course"><figcaption></figcaption><svg viewBox="0 0 ${WIDE} ${HIGH}" role="img"></svg></figure>
          <figure class="chart along"${look.along === null ? " hidden" : ""}><figcaption></figcaption>
            <svg viewBox="0 0 ${WIDE} ${HIGH}" role="img"></svg></figure>
        </div>
        <div class="figures" aria-live="polite">${look.outcomes.map((i) => this.figure(i)).join("")}</div>
        <details class="tables"><summary>The numbers as tables</summary><div class="scroll" tabindex="0" role="region" aria-label="Tables"></div></details>`;
      this.clock = $(".clock input", root);
      this.day = this.worstDay();
      this.listen();
      this.draw();
    }

    get point() { return pointOf(this.at); }
    get watched() { return this.point * data.shown + this.run; }
    get town() { return data.towns[data.townOf[this.point][this.run]]; }
    worstDay() {
      const days = daysOf(watchedCourse, this.watched);
      return days.indexOf(Math.min(...days));
    }
    percent(firm) { return firms[(this.watched * this.town.names.length + firm) * data.days + this.day]; }

    lever(i) {
      const lever = data.levers[i], id = `${this.id}-lever-${i}`;
      const help = lever.help ? `<p class="help" id="${id}-help">${safe(lever.help)}</p>` : "";
      const said = help ? ` aria-describedby="${id}-help"` : "";
      const control = lever.slides
        ? `<input type="range" id="${id}" data-lever="${i}" min="0" max="${lever.values.length - 1}"${said}>`
        : `<select id="${id}" data-lever="${i}"${said}>${lever.values.map((value, at) => `<option value="${at}">${safe(value)}</option>`).join("")}</select>`;
      return `<div class="lever"><label for="${id}">${safe(lever.label)}${lever.slides ? `: <output for="${id}"></output>` : ""}</label>${control}${help}</div>`;
    }

    figure(i) {
      const outcome = data.outcomes[i];
      return `<div class="figure" data-outcome="${i}"><div class="label">${safe(outcome.label)}</div><div class="value"></div>
        <svg viewBox="0 0 280 40" aria-hidden="true"></svg><p class="sure"></p><p class="against"></p><p class="sure">${safe(outcome.help)}</p></div>`;
    }

    listen() {
      for (const control of $$("[data-lever]", this.root)) {
        control.addEventListener("input", () => {
          this.at[control.dataset.lever] = Number(control.value);
          this.draw();
        });
      }
      this.clock.addEventListener("input", () => { this.stop(); this.setDay(Number(this.clock.value)); });
      $(".play", this.root).addEventListener("click", () => (this.playing ? this.stop() : this.play()));
      $(".firm select", this.root).addEventListener("change", (event) => this.choose(Number(event.target.value)));
      $(".network > svg", this.root).addEventListener("click", (event) => {
        const node = event.target.closest("[data-firm]");
        if (node) this.choose(Number(node.dataset.firm));
      });
      $(".network figcaption", this.root).addEventListener("click", (event) => {
        const run = event.target.closest("[data-run]");
        if (run) { this.run = Number(run.dataset.run); this.draw(); }
      });
      $(".tables", this.root).addEventListener("toggle", () => this.drawTables());
    }

    play() {
      const first = data.events[this.point][this.run][0];
      if (this.day >= data.days - 1 || this.day === this.worstDay()) this.day = Math.max(0, (first ? first[0] : 0) - 3);
      $(".play", this.root).textContent = "Pause";
      this.playing = setInterval(() => (this.day < data.days - 1 ? this.setDay(this.day + 1) : this.stop()), 9000 / data.days);
    }
    stop() {
      clearInterval(this.playing);
      this.playing = 0;
      $(".play", this.root).textContent = "Play";
    }
    setDay(day) { this.day = day; this.drawDay(); }
    choose(firm) { this.chosen = firm; this.drawDay(); }

    // --- drawing ---

    draw() {
      for (const control of $$("[data-lever]", this.root)) {
        const lever = data.levers[control.dataset.lever], place = this.at[control.dataset.lever];
        control.value = place;
        if (!lever.slides) continue;
        const words = `${lever.values[place]} ${lever.unit}`.trim();
        control.setAttribute("aria-valuetext", words);
        $(`output[for="${control.id}"]`, this.root).textContent = words;
      }
      this.drawFigures();
      this.drawTown();
      this.drawCourse();
      if (this.look.along !== null) this.drawAlong();
      this.drawDay();
    }

    drawFigures() {
      for (const box of $$(".figure", this.root)) {
        const i = Number(box.dataset.outcome), outcome = data.outcomes[i], values = ofRuns(this.point, i);
        const middle = mean(values), sure = half(values), [low, high] = outcome.range;
        const x = (value) => 8 + (264 * (value - low)) / (high - low || 1);
        $(".value", box).innerHTML = `${number(middle, outcome.digits)} <small>${safe(outcome.unit)}</small>`;
        const alike = (digits) => number(middle - sure, digits) === number(middle + sure, digits);
        const fine = outcome.digits + (alike(outcome.digits) ? 1 : 0);
        const spread = values.length < 2 ? "One run."
          : number(Math.min(...values), outcome.digits) === number(Math.max(...values), outcome.digits) ? `The same in all ${values.length} runs.`
          : alike(fine) ? `Nearly the same in all ${values.length} runs.`
          : `Mean of ${values.length} runs; 95 % interval ${number(middle - sure, fine)} to ${number(middle + sure, fine)}. Each dot is a run.`;
        $(".sure", box).textContent = spread;
        const before = ofRuns(this.pinned, i), gaps = values.map((value, run) => value - before[run]);
        const change = mean(gaps), width = half(gaps);
        $(".against", box).textContent = this.point === this.pinned ? ""
          : `${number(change, outcome.digits, true)} against the start (${number(mean(before), outcome.digits)}), 95 % interval ${number(change - width, outcome.digits, true)} to ${number(change + width, outcome.digits, true)}.`;
        $("svg", box).innerHTML = `<line class="axis" x1="8" x2="272" y1="18" y2="18"/>
          <text class="tick" style="font-size:11px" x="8" y="37">${number(low, 0)}</text>
          <text class="tick" style="font-size:11px" x="272" y="37" text-anchor="end">${number(high, 0)}</text>
          ${values.map((value, run) => `<circle class="dot" cx="${x(value).toFixed(1)}" cy="${18 + ((run % 3) - 1) * 4}" r="4"/>`).join("")}
          ${this.point === this.pinned ? "" : `<line class="before" x1="${x(mean(before))}" x2="${x(mean(before))}" y1="2" y2="34"/>`}
          <rect class="here" x="${x(middle) - 2}" y="5" width="4" height="26"/>`;
      }
    }

    drawTown() {
      const town = this.town, svg = $(".network > svg", this.root);
      const watched = this.watched * town.names.length;
      this.struck = town.names.map((_, firm) => struck[watched + firm] === 1);
      if (this.drawn === town) {
        $$(".ring", svg).forEach((ring, firm) => ring.toggleAttribute("hidden", !this.struck[firm]));
        return;
      }
      this.drawn = town;
      const x = (firm) => town.places[2 * firm], y = (firm) => town.places[2 * firm + 1];
      let links = "";
      for (let at = 0; at < town.links.length; at += 2) {
        const [from, to] = [town.links[at], town.links[at + 1]];
        links += `<path class="link" data-from="${from}" data-to="${to}" d="M${x(from)} ${y(from)}L${x(to)} ${y(to)}"/>`;
      }
      const nodes = town.names.map((name, firm) => `<g data-firm="${firm}" transform="translate(${x(firm)} ${y(firm)})">
        <circle class="ring" r="${town.size[firm] + 5}"${this.struck[firm] ? "" : " hidden"}/><path class="node"/>
        <text class="name-of" y="${town.size[firm] + 17}">${safe(name)}</text></g>`);
      svg.innerHTML = links + nodes.join("");
      svg.classList.toggle("crowd", town.names.length > 40);
      this.nodes = $$(".node", svg);
      this.names = $$(".name-of", svg);
      this.links = $$(".link", svg);
      const select = $(".firm select", this.root);
      const order = town.names.map((_, firm) => firm).sort((a, b) => town.names[a].localeCompare(town.names[b]));
      select.innerHTML = `<option value="-1">none</option>${order.map((firm) => `<option value="${firm}">${safe(town.names[firm])}</option>`).join("")}`;
      this.wasState = [];
      this.wasChosen = undefined;
    }

    drawDay() {
      const town = this.town, counts = [0, 0, 0, 0];
      this.nodes.forEach((node, firm) => {
        const state = stateOf(this.percent(firm));
        counts[state] += 1;
        if (this.wasState[firm] === state) return;
        this.wasState[firm] = state;
        node.setAttribute("class", `node ${STATES[state][0]}`);
        node.setAttribute("d", STATES[state][2](town.size[firm]));
      });
      const rank = (firm) => (this.struck[firm] ? 2 : this.wasState[firm] === 0 ? 1 : 0);
      const told = town.names.map((_, firm) => firm).filter(rank).sort((a, b) => rank(b) - rank(a) || town.size[b] - town.size[a]).slice(0, 8);
      this.names.forEach((name, firm) => name.classList.toggle("told", told.includes(firm) || firm === this.chosen));
      this.clock.value = this.day;
      this.clock.setAttribute("aria-valuetext", `day ${this.day}`);
      $(".clock output", this.root).textContent = `day ${this.day}`;
      const line = $(".course .cursor", this.root);
      if (line) line.setAttribute("transform", `translate(${this.dayX(this.day)} 0)`);
      const which = data.shown < 2 ? `Run 1 of ${data.replicates}`
        : `Run ${Array.from({ length: data.shown }, (_, run) => run === this.run ? `<strong>${run + 1}</strong>` : `<button type="button" data-run="${run}">${run + 1}</button>`).join(" ")} of ${data.replicates}`;
      const words = `${counts[0]} in trouble, ${counts[1]} strained, ${counts[2] + counts[3]} as usual or better`;
      const caption = `<strong>Day ${this.day}</strong>: ${words}. ${which}.`;
      if (this.wasCaption !== caption) $(".network figcaption", this.root).innerHTML = this.wasCaption = caption;
      $(".network > svg", this.root).setAttribute("aria-label", `Network of ${town.names.length} businesses on day ${this.day}: ${words}. Every business is in the tables below.`);
      this.drawChosen();
      if ($(".tables", this.root).open && !this.playing) this.drawTables();
    }

    drawChosen() {
      const town = this.town, firm = this.chosen;
      if (this.wasChosen !== firm) {
        this.wasChosen = firm;
        for (const link of this.links) {
          link.classList.toggle("in", Number(link.dataset.to) === firm);
          link.classList.toggle("out", Number(link.dataset.from) === firm);
        }
        this.names.forEach((name, each) => name.classList.toggle("chosen", each === firm));
        $(".firm select", this.root).value = firm;
        this.buys = []; this.sells = [];
        for (let at = 0; at < town.links.length; at += 2) {
          if (town.links[at + 1] === firm) this.buys.push(town.names[town.links[at]]);
          if (town.links[at] === firm) this.sells.push(town.names[town.links[at + 1]]);
        }
      }
      const list = (names) => (names.length ? [...new Set(names)].join(", ") : "nobody here");
      $(".firm p", this.root).textContent = firm < 0 ? "Tap a shape in the picture, or choose a name."
        : `Makes ${this.percent(firm)} % of the usual today${this.struck[firm] ? " (damaged)" : ""}. Buys from: ${list(this.buys)}. Sells to: ${list(this.sells)}${this.sells.length ? "" : ", only to people"}.`;
    }

    dayX(day) { return LEFT + ((WIDE - LEFT - RIGHT) * day) / (data.days - 1); }

    drawCourse() {
      const [low, high] = data.range;
      const y = (percent) => TOP + ((HIGH - TOP - BOTTOM) * (high - percent)) / (high - low);
      const line = (days) => [...days].map((value, day) => `${day ? "L" : "M"}${this.dayX(day).toFixed(1)} ${y(value / 10).toFixed(1)}`).join("");
      const [middle, least, most] = [0, 1, 2].map((row) => daysOf(course, this.point * 3 + row));
      const back = [...most].map((value, day) => `L${this.dayX(day).toFixed(1)} ${y(value / 10).toFixed(1)}`).reverse().join("");
      let marks = "";
      for (let value = low; value <= high; value += 20) {
        marks += `<line class="grid" x1="${LEFT}" x2="${WIDE - RIGHT}" y1="${y(value)}" y2="${y(value)}"/><text class="tick" x="${LEFT - 6}" y="${y(value) + 5}" text-anchor="end">${number(value, 0)} %</text>`;
      }
      const each = data.days > 160 ? 40 : 30;
      for (let day = 0; day < data.days; day += each) marks += `<text class="tick" x="${this.dayX(day)}" y="${HIGH - 12}" text-anchor="middle">${day}</text>`;
      const events = data.events[this.point][this.run].filter(([, words]) => !words.endsWith("is over")).map(([day, words], at) =>
        `<line class="event" x1="${this.dayX(day)}" x2="${this.dayX(day)}" y1="${TOP}" y2="${HIGH - BOTTOM}"/><text class="tick" x="${this.dayX(day) + 4}" y="${at % 2 ? TOP + 20 : TOP - 5}">${safe(words.replace(/ hits$/, ""))}</text>`).join("");
      const pinned = this.point === this.pinned ? "" : `<path class="before" d="${line(daysOf(course, this.pinned * 3))}"/>`;
      const many = data.replicates > 1;
      const svg = $(".course svg", this.root);
      svg.innerHTML = `${marks}<text class="tick" x="${WIDE - RIGHT}" y="${HIGH - 12}" text-anchor="end">day</text>
        <line class="axis" x1="${LEFT}" x2="${WIDE - RIGHT}" y1="${HIGH - BOTTOM}" y2="${HIGH - BOTTOM}"/>${events}
        ${many ? `<path class="band" d="${line(least)}${back}z"/>` : ""}${pinned}
        <path class="one" d="${line(daysOf(watchedCourse, this.watched))}"/><path class="mean" d="${line(middle)}"/>
        <line class="cursor" x1="0" x2="0" y1="${TOP}" y2="${HIGH - BOTTOM}"/>`;
      $(".course figcaption", this.root).innerHTML = `<strong>What the town makes, day by day</strong>, in % of what it would make if nothing had happened.
        Thick: mean of all runs${many ? "; shaded: all runs; thin: the run in the picture" : ""}${pinned ? "; dashed: the start" : ""}.`;
      svg.setAttribute("aria-label", `Output of the town day by day: on average lowest at ${number(Math.min(...middle) / 10, 0)} % of the usual, ${number(middle[data.days - 1] / 10, 0)} % on the last day.`);
    }

    drawAlong() {
      const lever = data.levers[this.look.along], outcome = data.outcomes[this.look.outcomes[0]];
      const count = lever.values.length, high0 = HIGH - BOTTOM - 12;
      const all = lever.values.map((_, place) => {
        const at = [...this.at];
        at[this.look.along] = place;
        return ofRuns(pointOf(at), this.look.outcomes[0]);
      });
      const [low, high] = outcome.range;
      const x = (place) => LEFT + ((WIDE - LEFT - RIGHT) * (place + 0.5)) / count;
      const y = (value) => TOP + ((high0 - TOP) * (high - value)) / (high - low || 1);
      let inside = "";
      for (const value of [low, (low + high) / 2, high])
        inside += `<line class="grid" x1="${LEFT}" x2="${WIDE - RIGHT}" y1="${y(value)}" y2="${y(value)}"/><text class="tick" x="${LEFT - 6}" y="${y(value) + 5}" text-anchor="end">${number(value, high - low < 20 ? 1 : 0)}</text>`;
      if (low < 0) inside += `<line class="axis" x1="${LEFT}" x2="${WIDE - RIGHT}" y1="${y(0)}" y2="${y(0)}"/>`;
      all.forEach((values, place) => {
        const now = place === this.at[this.look.along], middle = mean(values), sure = half(values);
        inside += values.map((value, run) => `<circle class="dot" cx="${(x(place) + (((run * 7) % 11) - 5) * 2.2).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5"/>`).join("");
        inside += `<line class="whisker" x1="${x(place)}" x2="${x(place)}" y1="${y(middle - sure)}" y2="${y(middle + sure)}"/>
          <circle class="${now ? "here" : "mean"}" style="${now ? "" : "fill:#fff"}" cx="${x(place)}" cy="${y(middle)}" r="${now ? 8 : 6}"/>`;
        const words = lever.slides ? [lever.values[place]] : this.lines(lever.values[place]);
        inside += words.map((word, row) => `<text class="tick" x="${x(place)}" y="${HIGH - BOTTOM + 10 + row * 18}" text-anchor="middle"${now ? ' style="font-weight:700"' : ""}>${safe(word)}</text>`).join("");
      });
      const svg = $(".along svg", this.root);
      svg.innerHTML = inside;
      $(".along figcaption", this.root).innerHTML = `<strong>${safe(outcome.label)}</strong>${outcome.unit ? ` (${safe(outcome.unit)})` : ""}, by: ${safe(lever.label.toLowerCase())}${lever.unit ? ` (${safe(lever.unit)})` : ""}. Circles: means with 95 % interval; filled: where the slider is; dots: single runs.`;
      svg.setAttribute("aria-label", `${outcome.label} by ${lever.label}: ${all.map((values, place) => `${lever.values[place]}: ${number(mean(values), outcome.digits)}`).join("; ")}.`);
    }

    lines(words) {
      const parts = String(words).split(" "), middle = Math.ceil(parts.length / 2);
      return parts.length < 2 ? parts : [parts.slice(0, middle).join(" "), parts.slice(middle).join(" ")];
    }

    drawTables() {
      if (!$(".tables", this.root).open) return;
      const town = this.town, days = daysOf(course, this.point * 3);
      const rows = town.names.map((name, firm) => `<tr><td>${safe(name)}</td><td>${this.percent(firm)}</td><td>${STATES[stateOf(this.percent(firm))][1]}</td><td>${this.struck[firm] ? "yes" : ""}</td></tr>`);
      let course_ = "";
      for (let day = 0; day < data.days; day += 10) course_ += `<tr><td>${day}</td><td>${number(days[day] / 10, 1)}</td></tr>`;
      $(".tables .scroll", this.root).innerHTML = `<table><caption>Businesses on day ${this.day}, run ${this.run + 1}</caption><thead><tr><th scope="col">Business</th><th scope="col">% of usual</th><th scope="col">State</th><th scope="col">Damaged</th></tr></thead><tbody>${rows.join("")}</tbody></table>
        <table><caption>The town, mean of all runs</caption><thead><tr><th scope="col">Day</th><th scope="col">% of usual</th></tr></thead><tbody>${course_}</tbody></table>`;
    }
  }

  // --- steps and bets ------------------------------------------------------------------------------------------

  const steps = $$(".step"), links = $$("#steps a"), worlds = [], bets = {}, shown = new Set();
  let now = -1;

  function makeWorld(at) {
    const root = $(".world", steps[at]);
    if (root && runs && !worlds[at]) worlds[at] = new World(root, data.looks[at]);
  }

  function go(at, { focus = true } = {}) {
    if (now >= 0 && worlds[now]) worlds[now].stop();
    const left = now >= 0 && $("form.options", steps[now]);
    if (left) place(left); // who chose and turned the page has bet
    now = Math.min(Math.max(at, 0), steps.length - 1);
    steps.forEach((step, i) => step.classList.toggle("now", i === now));
    links.forEach((link, i) => (i === now ? link.setAttribute("aria-current", "step") : link.removeAttribute("aria-current")));
    $("#back").disabled = now === 0;
    $("#next").disabled = now === steps.length - 1;
    $("#where").textContent = `${now + 1} of ${steps.length}`;
    history.replaceState(null, "", `#step-${now + 1}`);
    reveal(steps[now]);
    makeWorld(now);
    if (focus) { $("h2", steps[now]).focus({ preventScroll: true }); scrollTo(0, 0); }
  }

  function reveal(step) {
    const box = $(".verdict", step);
    if (!box) return;
    const name = box.dataset.bet, bet = data.bets[name], open = name in bets || shown.has(name);
    $(".hidden-until-bet", step).hidden = !open;
    if (!open) {
      box.innerHTML = '<p>You have not placed your bet yet.</p><button type="button" class="to-bet">Back to the bet</button><button type="button" class="anyway">Show without a bet</button>';
      $(".to-bet", box).onclick = () => go(steps.findIndex((each) => $(`form[data-bet="${name}"]`, each)));
      $(".anyway", box).onclick = () => { shown.add(name); reveal(step); makeWorld(now); };
      return;
    }
    const right = safe(bet.options[bet.right]);
    box.innerHTML = !(name in bets) ? `<p>The runs say: <strong>${right}</strong></p>`
      : bets[name] === bet.right ? `<p>✓ You bet “${right}”, and so it came.</p>`
      : `<p>✗ You bet “${safe(bet.options[bets[name]])}”. The runs say: <strong>${right}</strong></p>`;
  }

  function place(form) {
    const name = form.dataset.bet, chosen = new FormData(form).get(name);
    if (chosen === null) return;
    bets[name] = Number(chosen);
    $(".placed", form).textContent = `Your bet: ${data.bets[name].options[bets[name]]}. Press Next to see what happened.`;
  }

  for (const form of $$("form.options")) {
    form.addEventListener("change", () => { $("button", form).disabled = false; });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      place(form);
    });
  }
  links.forEach((link, at) => link.addEventListener("click", (event) => { event.preventDefault(); go(at); }));
  $("#back").addEventListener("click", () => go(now - 1));
  $("#next").addEventListener("click", () => go(now + 1));
  $("#larger").addEventListener("click", (event) => {
    event.target.setAttribute("aria-pressed", document.documentElement.classList.toggle("larger"));
  });
  addEventListener("hashchange", () => { const at = /^#step-(\d+)$/.exec(location.hash); if (at && at[1] - 1 !== now) go(at[1] - 1); });
  addEventListener("beforeprint", () => steps.forEach((step, at) => { reveal(step); makeWorld(at); }));

  document.documentElement.classList.add("js");
  const asked = /^#step-(\d+)$/.exec(location.hash);
  go(asked ? asked[1] - 1 : 0, { focus: false });
  const failed = (error) => {
    const box = $("#warning");
    box.hidden = false;
    box.textContent = `The pictures cannot be shown in this browser (${error.message}). A current Firefox, Chrome, Edge or Safari (16.4 or later) shows them.`;
  };
  const begun = typeof DecompressionStream === "function" ? unpack() : Promise.reject(new Error("it cannot unpack data"));
  begun.then(() => { makeWorld(now); document.documentElement.dataset.ready = "yes"; }).catch(failed);
})();
