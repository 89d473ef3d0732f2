// The panel: the model when nothing is selected, else what is.

class Panel {
  constructor(app) {
    this.app = app;
    this.element = document.getElementById("panel");
  }

  show(item) {
    const content = !item ? this.overview() : item.node ? this.node(item) : this.value(item);
    this.element.replaceChildren(...content.filter((part) => part));
    this.element.scrollTop = 0;
  }

  // MARK: The model

  overview() {
    const { model } = this.app;
    const { about, profile, plan } = model;
    const drawn = model.file.nodes.length;
    const figures = [[`${drawn}`, about.nodes > drawn ? `nodes, ${about.nodes - drawn} constants` : "nodes"],
      [Units.count(about.parameters), "parameters"]];
    if (about.macs > 0) figures.push([Units.count(about.macs), "MACs a run"]);
    if (profile) figures.push([Units.time(profile.milliseconds), "measured run"]);
    if (plan) figures.push([`${model.memory.steps}`, "steps planned"], [Units.bytes(model.memory.peak), "memory of a run"]);
    return [
      h("h2", {}, model.title),
      h("p", { class: "muted" }, [about.producer && `Made by ${about.producer}`, `IR ${about.ir}`,
        about.opsets.map(([domain, version]) => `${domain} ${version}`).join(", ")].filter(Boolean).join(" · ")),
      ...about.problems.map((problem) => h("p", { class: "problem" }, problem)),
      figureBoxes(figures),
      h("h3", {}, "Inputs"), ...about.inputs.map((input) => h("div", { class: "name" }, input)),
      h("h3", {}, "Outputs"), ...about.outputs.map((output) => h("div", { class: "name" }, output)),
      ...(profile ? this.slowest() : []),
      ...this.operators(),
      ...(profile ? [h("h3", {}, "Machine"), h("p", {}, `${profile.isa}, ${profile.threads} thread${
        profile.threads === 1 ? "" : "s"}, median of ${profile.rounds} runs; peaks measured beside them: ${
        Units.number(profile.peaks[0])} GMAC/s, ${Units.number(profile.peaks[1])} GB/s`)] : []),
      ...(model.functions.length > 0 ? [h("h3", {}, "Functions"), h("ul", { class: "links" },
        model.functions.map((sheet) => h("li", {}, this.sheetLink(sheet, sheet.function))))] : []),
      ...(about.metadata.length > 0 ? [h("h3", {}, "Metadata"), ...about.metadata.map(([key, value]) =>
        h("details", {}, h("summary", {}, key), h("div", { class: "name" }, value)))] : []),
    ];
  }

  slowest() {
    const { model } = this.app;
    const steps = model.plan.nodes.filter((node) => node.time > 0).sort((a, b) => b.time - a.time).slice(0, 12);
    return [h("h3", {}, "Where the time goes"), h("table", {},
      h("tr", {}, h("th", {}, "kernel"), h("th", {}, "ms"), h("th", {}, "%")),
      steps.map((node) => h("tr", {}, h("td", {}, this.link(node.item, `${node.operator} ${shortName(node)}`)),
        h("td", {}, node.time.toFixed(2)), h("td", {}, (node.time / model.profile.milliseconds * 100).toFixed(1)))))];
  }

  operators() {
    const { app } = this;
    const rows = new Map();
    for (const node of app.model.file.nodes) {
      const name = operatorName(node);
      const row = rows.get(name) ?? { name, count: 0, macs: 0, time: 0 };
      row.count += 1;
      row.macs += Math.max(0, node.macs);
      row.time += Math.max(0, node.time);
      rows.set(name, row);
    }
    const hasTimes = app.model.profile !== null;
    const sorted = [...rows.values()].sort((a, b) => (hasTimes ? b.time - a.time : 0) || b.count - a.count);
    return [h("h3", {}, "Operators"), h("table", {},
      h("tr", {}, h("th", {}, "operator"), h("th", {}, "nodes"), h("th", {}, "MACs"), hasTimes && h("th", {}, "ms")),
      sorted.map((row) => h("tr", {},
        h("td", {}, link(row.name, () => app.search.run(row.name)),
          app.model.about.missing.includes(row.name) && h("span", { class: "chip aside" }, "not available")),
        h("td", {}, `${row.count}`), h("td", {}, row.macs > 0 ? Units.count(row.macs) : ""),
        hasTimes && h("td", {}, row.time > 0 ? row.time.toFixed(2) : ""))))];
  }

  // MARK: A node

  node(item) {
    const { app } = this;
    const { node, sheet } = item;
    const attributes = node.attributes.filter(([name]) => !node.bodies.some((body) =>
      app.model.sheets[body].owner.attribute.split("[")[0] === name));
    return [
      h("h2", {}, operatorName(node)),
      h("div", { class: "name muted" }, node.name || "no name"),
      node.algorithm && h("span", { class: "chip" }, node.algorithm),
      app.model.isPlanned(sheet) && node.step < 0
        && h("span", { class: "chip" }, "needs no work: its bytes are there already"),
      this.costs(node),
      ...this.bodies(item), ...this.counterparts(item), this.section("Inputs", this.inputs(item)),
      this.section("Outputs", sheet.made(item).map((value) => this.tensor(value, "to", value.readers))),
      this.section("Attributes", attributes.length === 0 ? [] : [factList(attributes, "name")]),
      ...this.memory(node, sheet),
    ];
  }

  section(title, parts) { return parts.length > 0 ? h("section", {}, h("h3", {}, title), parts) : null; }

  costs(node) {
    const { profile } = this.app.model;
    const figures = [];
    if (node.macs > 0) figures.push([Units.count(node.macs), "MACs"]);
    if (node.bytes >= 0) figures.push([Units.bytes(node.bytes), "moved"]);
    if (node.time >= 0) {
      figures.push([Units.time(node.time), `${Units.percent(node.time / profile.milliseconds)} of the run`]);
    }
    const step = profile?.steps[node.step];
    if (step?.[1]) figures.push([Units.number(step[1]), `GMAC/s, ${Units.percent(step[2])} of peak`]);
    if (step?.[3]) figures.push([Units.number(step[3]), `GB/s, ${Units.percent(step[4])} of reading`]);
    if (step?.[5] > 1) figures.push([`${step[5]}`, `threads, busiest ${Units.number(step[6])} × mean`]);
    if (figures.length === 0) return null;
    return figureBoxes(figures);
  }

  bodies({ node, sheet }) {
    const inside = this.app.model.inside(node);
    if (inside.length === 0) return [];
    return [h("h3", {}, "Graphs inside"), h("ul", { class: "links" }, inside.map((inner) =>
      h("li", {}, this.sheetLink(inner, inner.owner?.attribute ?? inner.function, sheet))))];
  }

  sheetLink(sheet, name, from = sheet) {
    const count = sheet.nodes.length;
    return link(`${name} (${count} node${count === 1 ? "" : "s"})`, () => this.app.openIn(sheet, from));
  }

  counterparts(item) {
    const { app } = this;
    const twins = app.model.twins(item);
    const isPlanned = app.model.isPlanned(item.sheet);
    if (twins.length === 0) {
      if (isPlanned && item.node?.step >= 0) {
        return [h("h3", {}, "Computes these nodes"), h("p", { class: "muted" },
          "none: the plan put it in to change how a tensor lies in memory")];
      }
      if (item.sheet === app.model.file && app.model.plan) {
        return [h("h3", {}, "Planned as"), h("p", { class: "muted" }, "nothing: folded into a constant, or not needed")];
      }
      return [];
    }
    return [h("h3", {}, isPlanned ? "Computes these nodes" : "Planned as"),
      h("ul", { class: "links" }, twins.map((twin) => h("li", {},
        this.link(twin, `${operatorName(twin.node)} ${shortName(twin.node)}`),
        !isPlanned && twin.node.origins.length > 1
          && h("span", { class: "muted" }, ` with ${twin.node.origins.length - 1} more`))))];
  }

  inputs({ node, sheet }) {
    const seen = new Set(node.inputs);
    const captured = sheet.values.filter((value) => value.readers.includes(node.item) && !seen.has(value.index));
    return [
      ...node.inputs.filter((input) => input >= 0).map((input) => {
        const value = sheet.values[input];
        return this.tensor(value, "from", value.maker ? [value.maker] : []);
      }),
      ...captured.map((value) => this.tensor(value, "from", value.maker ? [value.maker] : [], "read by a graph inside")),
    ];
  }

  /// One tensor, who makes or reads it, and its numbers where it is a constant.
  tensor(value, direction, others, note) {
    const weight = this.app.model.weights[value.weight];
    return h("div", { class: "tensor" },
      h("div", { class: "name" }, value.name),
      h("div", { class: "type" }, [value.type, value.layout, value.bytes > 0 && Units.bytes(value.bytes)]
        .filter(Boolean).join(" · ")),
      note && h("div", { class: "muted" }, note),
      value.isConstant && !weight && h("div", { class: "muted" }, "constant"),
      weight && h("div", { class: "weight" }, weightDetails(weight, this.app.colors)),
      others.length > 0 && h("ul", { class: `links ${direction}` },
        others.map((other) => h("li", {}, this.link(other, label(other))))));
  }

  memory(node, sheet) {
    const { app } = this;
    if (!app.model.isPlanned(sheet)) return [];
    const buffers = app.model.memory.buffers.filter(([, , first, last, values]) => values.length === 0
      ? first === node.step && last === node.step : values.some((value) => node.outputs.includes(value)));
    if (buffers.length === 0) return [];
    return [h("h3", {}, "Memory"), h("table", {},
      h("tr", {}, h("th", {}, "block"), h("th", {}, "size"), h("th", {}, "offset"), h("th", {}, "steps")),
      buffers.map(([offset, bytes, first, last, values]) => h("tr", {},
        h("td", {}, values.length === 0 ? "scratch" : "output"), h("td", {}, Units.bytes(bytes)),
        h("td", {}, Units.bytes(offset)), h("td", {}, `${first}–${last}`)))),
    h("p", {}, link("Show in the memory chart", () => app.setMode("memory")))];
  }

  // MARK: An input or output

  value({ type, value }) {
    const titles = { [ItemType.input]: "Input", [ItemType.capture]: "Captured value", [ItemType.output]: "Output" };
    const others = type === ItemType.output ? [value.maker].filter(Boolean) : value.readers;
    return [h("h2", {}, titles[type]), this.tensor(value, type === ItemType.output ? "from" : "to", others)];
  }

  link(item, text) { return link(text, () => this.app.select(item, { isCentred: true })); }
}

function operatorName(node) {
  return node.domain === "" || node.domain === "sardonyx" ? node.operator : `${node.domain}.${node.operator}`;
}

/// The last parts of a name that say something.
function shortName(node) {
  const parts = node.name.split("/").filter((part) => part && part !== node.operator);
  // Exporters end names with the operator, which need not be the kernel's.
  if (parts.length > 1 && /^[A-Z][A-Za-z]*(_\d+)?$/.test(parts.at(-1))) parts.pop();
  return parts.slice(-2).join("/");
}

function label(item) {
  if (item.node) return `${operatorName(item.node)} ${shortName(item.node)}`;
  const names = { [ItemType.input]: "input", [ItemType.capture]: "captured", [ItemType.output]: "output" };
  return `${names[item.type]} ${item.value.name}`;
}

function factList(facts, className = "") {
  return h("dl", { class: "facts" },
    facts.map(([name, value]) => [h("dt", {}, name), h("dd", { class: className }, value)]));
}

function figureBoxes(figures) {
  return h("div", { class: "figures" },
    figures.map(([number, label]) => h("div", {}, h("b", {}, number), h("span", {}, label))));
}
