// The application: what is shown, what is selected, keys that work everywhere.

/// An element; texts among its children are texts, never markup.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value);
  element.append(...children.flat(3).filter((child) => child || child === 0));
  return element;
}

function button(text, title, action) {
  const element = h("button", { class: "icon", type: "button", title, "aria-label": title }, text);
  element.addEventListener("click", action);
  return element;
}

function link(text, action) {
  const element = h("button", { class: "link", type: "button" }, text);
  element.addEventListener("click", action);
  return element;
}

class Tip {
  constructor() { this.element = document.getElementById("tip"); }

  show(content, event) {
    this.element.hidden = !content;
    if (!content) return;
    this.element.replaceChildren(...content.filter(Boolean));
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const x = event.clientX + 16 + width > innerWidth ? event.clientX - width - 12 : event.clientX + 16;
    const y = event.clientY + 16 + height > innerHeight ? event.clientY - height - 12 : event.clientY + 16;
    this.element.style.left = `${Math.max(4, x)}px`;
    this.element.style.top = `${Math.max(4, y)}px`;
  }
}

class App {
  constructor(model) {
    this.model = model;
    this.selected = null;
    /// Items that show the same work as the selected one, and the closed groups that hide some.
    this.twins = new Set();
    this.found = new Set();
    this.tip = new Tip();
    this.stage = document.getElementById("stage");
    this.setTheme(storedTheme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
    this.panel = new Panel(this);
    this.search = new Search(this);
    this.views = [];
    this.buildBar();
    this.setMode(model.profile && model.plan ? "plan" : "file");
    this.panel.show(null);
    document.addEventListener("keydown", (event) => this.key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
      if (!storedTheme()) this.setTheme(event.matches ? "dark" : "light");
    });
  }

  buildBar() {
    document.title = `${this.model.title} – Sardonyx`;
    document.getElementById("title").textContent = this.model.title;
    const modes = [["file", "File", "The graph of the file"]];
    if (this.model.plan) {
      modes.push(["plan", "Plan", "The graph that runs: fused and planned"], ["both", "Both", "Both graphs side by side"],
        ["memory", "Memory", "Blocks of memory over the steps of a run"]);
    }
    this.modeButtons = modes.map(([mode, text, title]) => {
      const element = h("button", { type: "button", title, "data-mode": mode }, text);
      element.addEventListener("click", () => this.setMode(mode));
      return element;
    });
    document.getElementById("modes").append(...this.modeButtons);
    const select = document.getElementById("colors");
    const names = { kind: "operator", time: "measured time", macs: "MACs", bytes: "bytes" };
    select.append(...this.colors.modes.map((mode) => h("option", { value: mode }, names[mode])));
    select.value = this.colors.mode;
    select.addEventListener("change", () => this.setColors(select.value));
    document.getElementById("theme").addEventListener("click", () => {
      this.setTheme(this.theme === "dark" ? "light" : "dark");
      storeTheme(this.theme);
    });
    document.getElementById("help").addEventListener("click", () => this.help());
  }

  // MARK: What is shown

  /// file, plan, both or memory.
  setMode(mode) {
    this.mode = mode;
    for (const element of this.modeButtons) element.setAttribute("aria-pressed", `${element.dataset.mode === mode}`);
    const wanted = { file: [this.model.file], plan: [this.model.plan], both: [this.model.file, this.model.plan] }[mode];
    if (mode === "memory") {
      this.memory ??= new MemoryChart(this);
      this.views = [];
      this.stage.replaceChildren(this.memory.element);
      this.memory.draw();
      if (!this.selected) this.panel.element.replaceChildren(...this.memory.details());
      return;
    }
    this.panes ??= new Map();
    this.views = wanted.map((sheet) => {
      if (!this.panes.has(sheet)) this.panes.set(sheet, new View(this, sheet));
      return this.panes.get(sheet);
    });
    this.stage.replaceChildren(...this.views.map((view) => view.element));
    this.active = this.views[0];
    for (const view of this.views) {
      view.resize();
      this.bringIntoView(view);
    }
    if (!this.selected) this.panel.show(null);
  }

  /// Of a pane, whatever body it shows now.
  root(sheet) {
    let root = sheet;
    while (root.owner) root = this.model.sheets[root.owner.sheet];
    return root.function === null ? root : this.model.file;
  }

  shownSheets() { return this.views.map((view) => view.sheet); }

  viewFor(sheet) { return this.views.find((view) => view.sheet === sheet) ?? this.active ?? this.views[0]; }

  /// Shows a sheet in a pane.
  open(sheet, view) {
    const pane = view ?? this.viewFor(this.root(sheet));
    if (this.selected && this.selected.sheet !== sheet) this.choose(null);
    pane.show(sheet);
    pane.canvas.focus();
  }

  /// Shows a sheet in the pane of another, or of the graph that both belong to.
  openIn(sheet, from) {
    const root = this.root(sheet);
    if (!this.views.some((view) => this.root(view.sheet) === root)) this.setMode(root === this.model.plan ? "plan" : "file");
    this.open(sheet, this.views.find((view) => view.sheet === from)
      ?? this.views.find((view) => this.root(view.sheet) === root));
  }

  // MARK: Selection

  /// - view: where it was picked; without it a pane is found, and the graph changed where no pane shows it.
  /// - isCentred: whether it moves to the middle; isStill: whether that pane stays as it is.
  select(item, { view = null, isCentred = false, isStill = false } = {}) {
    this.choose(item);
    if (!item) return;
    if (this.mode === "memory" && !isCentred) {
      this.memory.draw();
      return;
    }
    const root = this.root(item.sheet);
    if (this.mode === "memory" || !this.views.some((pane) => this.root(pane.sheet) === root)) {
      this.setMode(root === this.model.plan ? "plan" : "file");
    }
    const pane = view ?? this.views.find((pane) => pane.sheet === item.sheet)
      ?? this.views.find((pane) => this.root(pane.sheet) === root);
    pane.show(item.sheet);
    if (!isStill) pane.focus(item, isCentred);
    for (const other of this.views) if (other !== pane) this.bringIntoView(other);
    this.redraw();
  }

  choose(item) {
    this.selected = item;
    this.twins = new Set(item ? this.model.twins(item) : []);
    this.panel.show(item);
    if (!item && this.mode === "memory") this.panel.element.replaceChildren(...this.memory.details());
    document.getElementById("live").textContent = item ? `${label(item)}, ${item.subtitle}` : "";
    this.redraw();
  }

  /// The selected item's counterparts, in a pane that shows the other graph.
  bringIntoView(view) {
    const own = this.selected?.sheet === view.sheet ? this.selected : null;
    const twin = own ?? [...this.twins].find((item) => item.sheet === view.sheet);
    if (twin) view.focus(twin);
  }

  redraw() {
    for (const view of this.views) view.redraw();
    if (this.mode === "memory") this.memory.draw();
  }

  // MARK: Looks

  setColors(mode) {
    this.colors.mode = mode;
    document.getElementById("colors").value = mode;
    this.refresh();
  }

  setTheme(theme) {
    this.theme = theme;
    document.documentElement.dataset.theme = theme;
    document.getElementById("theme").textContent = theme === "dark" ? "☀" : "☾";
    this.colors ??= new Colors(this.model);
    this.colors.setTheme(theme === "dark");
    this.refresh();
  }

  refresh() {
    for (const view of this.panes?.values() ?? []) {
      view.map.forget();
      view.showLegend();
    }
    if (this.selected) this.panel.show(this.selected);
    if (this.views) this.redraw();
  }

  // MARK: Keys

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, dialog *")) return;
    const view = this.active ?? this.views[0];
    const actions = {
      "/": () => { this.search.input.focus(); this.search.input.select(); },
      "?": () => this.help(),
      Escape: () => this.select(null),
      f: () => view?.fit(),
      0: () => view?.home(),
      "+": () => view?.zoom(1.35),
      "=": () => view?.zoom(1.35),
      "-": () => view?.zoom(1 / 1.35),
      d: () => document.getElementById("theme").click(),
      g: () => this.nextColors(),
      1: () => this.setMode("file"),
      2: () => this.model.plan && this.setMode("plan"),
      3: () => this.model.plan && this.setMode("both"),
      4: () => this.model.plan && this.setMode("memory"),
      n: () => this.search.go(this.search.place + 1),
      N: () => this.search.go(this.search.place - 1),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  nextColors() {
    const { modes, mode } = this.colors;
    this.setColors(modes[(modes.indexOf(mode) + 1) % modes.length]);
  }

  help() {
    const dialog = document.getElementById("keys");
    const keys = [
      ["/", "search; Enter for the next, Shift Enter for the one before; n and N afterwards"],
      ["↑ ↓ ← →", "from the selected node to what it reads, to who reads it, to its neighbours in the row"],
      ["Enter", "into the graph inside a node, or its function, else into the panel; Backspace comes back"],
      ["f  0", "fit the graph; back to its beginning"], ["+  −", "zoom; or the wheel"],
      ["Shift + arrows", "move; or drag"], ["c", "close the group around the selected node"],
      ["1 2 3 4", "graph of the file, plan, both, memory"], ["g", "next colouring"], ["d", "dark or light"],
      ["Esc", "select nothing"],
    ];
    const done = h("button", { class: "done", type: "button" }, "Close");
    done.addEventListener("click", () => dialog.close());
    dialog.replaceChildren(h("h2", {}, "Keyboard and mouse"), h("dl", {}, keys.map(([key, text]) =>
      [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)])),
    h("p", { class: "muted" }, "Click a group's title to close or open it, a node for its details; double-click one "
      + "marked ▣ to enter it. Violet rings mark the same work in the other graph."), done);
    dialog.showModal();
  }
}

// Pages from files may have no storage.
function storedTheme() {
  try { return localStorage.getItem("sardonyx-theme"); } catch { return null; }
}

function storeTheme(theme) {
  try { localStorage.setItem("sardonyx-theme", theme); } catch { /* The choice lasts as long as the page. */ }
}

const sardonyx = new App(new Model(JSON.parse(document.getElementById("data").textContent)));
// For tests and the console.
window.sardonyx = sardonyx;
requestAnimationFrame(() => requestAnimationFrame(() => {
  document.documentElement.dataset.ready = `${Math.round(performance.now())}`;
}));
