// A pane that shows one sheet on a canvas: its window on the sheet, picking, and keys.

class View {
  constructor(app, sheet) {
    this.app = app;
    this.canvas = h("canvas", { class: "graph", tabindex: 0, role: "application",
      "aria-label": "Graph. Arrow keys go to neighbours, question mark lists all keys." });
    this.crumbs = h("nav", { class: "crumbs", "aria-label": "Graph shown" });
    this.map = new MiniMap(this);
    this.legend = h("div", { class: "legend", "aria-label": "Legend" });
    this.element = h("div", { class: "view" }, this.canvas, this.crumbs, this.map.canvas, this.legend,
      h("div", { class: "tools" },
        button("−", "Zoom out (-)", () => this.zoom(1 / 1.35)), button("+", "Zoom in (+)", () => this.zoom(1.35)),
        button("⤢", "Fit the graph (f)", () => this.fit())));
    this.context = this.canvas.getContext("2d");
    this.painter = new Painter(this);
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.pointers = new Map();
    this.hovered = null;
    /// What was looked at, by sheet.
    this.memories = new Map();
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.element);
    this.show(sheet);
  }

  // MARK: What is shown

  show(sheet) {
    if (sheet === this.sheet) return;
    if (this.sheet) this.memories.set(this.sheet, [this.scale, this.x, this.y]);
    this.sheet = sheet;
    if (!sheet.visible) {
      closeGroups(sheet);
      placeSheet(sheet);
    }
    const memory = this.memories.get(sheet);
    if (memory) [this.scale, this.x, this.y] = memory; else this.home();
    this.showCrumbs();
    this.showLegend();
    this.map.forget();
    this.redraw();
  }

  showCrumbs() {
    const parts = [];
    for (let sheet = this.sheet; sheet; sheet = sheet.owner ? this.app.model.sheets[sheet.owner.sheet] : null) {
      const label = sheet.owner
        ? `${this.app.model.sheets[sheet.owner.sheet].nodes[sheet.owner.node].operator} ${sheet.owner.attribute}`
        : this.app.model.isPlanned(sheet) ? "Plan" : sheet.function === null ? "File" : `function ${sheet.function}`;
      const target = sheet;
      parts.unshift(sheet === this.sheet ? h("strong", {}, label) : link(label, () => this.app.open(target, this)));
    }
    const root = this.app.root(this.sheet);
    if (this.app.model.functions.length > 0 && root === this.app.model.file && !this.isBelow(root)) {
      parts.unshift(link("File", () => this.app.open(root, this)));
    }
    const nodes = this.sheet.nodes.length;
    this.crumbs.replaceChildren(...parts.flatMap((part, index) => (index > 0 ? ["›", part] : [part])),
      h("span", {}, `· ${nodes} node${nodes === 1 ? "" : "s"}`));
    if (this.sheet.groups.length > 1) {
      this.crumbs.append("·", link("open all", () => this.openAll(true)), "/",
        link("close all", () => this.openAll(false)));
    }
  }

  /// Whether the sheet is this one or a body in it.
  isBelow(other) {
    let sheet = this.sheet;
    while (sheet !== other && sheet.owner) sheet = this.app.model.sheets[sheet.owner.sheet];
    return sheet === other;
  }

  showLegend() { this.legend.replaceChildren(...this.app.colors.legend(this.sheet)); }

  openAll(isOpen) {
    for (const group of this.sheet.groups.slice(1)) group.isOpen = isOpen;
    placeSheet(this.sheet);
    this.map.forget();
    this.home();
  }

  toggle(group) {
    const before = group.box;
    group.isOpen = !group.isOpen;
    placeSheet(this.sheet);
    // What was clicked stays under the pointer.
    this.x += (before.x - group.box.x) * this.scale;
    this.y += (before.y - group.box.y) * this.scale;
    this.map.forget();
    this.redraw();
  }

  // MARK: The window on the sheet

  get width() { return this.element.clientWidth; }
  get height() { return this.element.clientHeight; }

  resize() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.width * ratio));
    this.canvas.height = Math.max(1, Math.round(this.height * ratio));
    if (this.isPlaced) this.x += (this.width - this.lastWidth) / 2; else this.home();
    this.lastWidth = this.width;
    this.map.forget();
    this.draw();
  }

  /// The whole graph, if it is legible then, else its upper end.
  home() {
    this.isPlaced = this.width > 0;
    const box = this.sheet.groups[0].box;
    const room = this.width - this.map.width - 60;
    const whole = Math.min(room / box.width, (this.height - 90) / box.height);
    this.scale = Math.min(1.1, Math.max(whole, 0.85));
    const first = this.sheet.visible.items.filter((item) => item.type === ItemType.input)[0]
      ?? this.sheet.visible.items.reduce((best, item) => (!best || item.box.y < best.box.y ? item : best), null);
    const middle = box.width * this.scale <= room ? 0 : first?.box.x ?? 0;
    this.x = (this.width - this.map.width) / 2 - middle * this.scale;
    this.y = whole >= this.scale ? Math.max(48, (this.height - box.height * this.scale) / 2) : 48;
    this.redraw();
  }

  fit() {
    const box = this.sheet.groups[0].box;
    this.scale = Math.min(1.5, (this.width - this.map.width - 40) / box.width, (this.height - 60) / box.height);
    this.x = (this.width - this.map.width) / 2;
    this.y = (this.height - box.height * this.scale) / 2;
    this.redraw();
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const scale = Math.min(4, Math.max(0.004, this.scale * factor));
    this.x = x - ((x - this.x) / this.scale) * scale;
    this.y = y - ((y - this.y) / this.scale) * scale;
    this.scale = scale;
    this.redraw();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.redraw();
  }

  /// Brings an item into the window; the window moves only where it must.
  focus(item, isCentred = false) {
    if (reveal(item)) this.map.forget();
    if (this.scale < 0.45) this.scale = 0.75;
    const [x, y] = this.toScreen(item.box.x, item.box.y + item.box.height / 2);
    const [marginX, marginY] = [Math.min(160, this.width / 4), Math.min(110, this.height / 4)];
    const isInside = x > marginX && x < this.width - marginX - this.map.width && y > marginY && y < this.height - marginY;
    if (isCentred || !isInside) {
      this.x += (this.width - this.map.width) / 2 - x;
      this.y += this.height / 2 - y;
    }
    this.redraw();
  }

  toScreen(x, y) { return [x * this.scale + this.x, y * this.scale + this.y]; }
  toSheet(x, y) { return [(x - this.x) / this.scale, (y - this.y) / this.scale]; }

  // MARK: Drawing

  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    const { context, scale, painter } = this;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * this.x, ratio * this.y);
    const [left, top] = this.toSheet(0, 0);
    const [right, bottom] = this.toSheet(this.width, this.height);
    const isSeen = (box) => box.x + box.width / 2 >= left && box.x - box.width / 2 <= right
      && box.y + box.height >= top && box.y <= bottom;
    const { groups, items, lines, closed } = this.sheet.visible;
    for (const group of groups) if (group.parent >= 0 && isSeen(group.box)) painter.group(group);
    if (scale < 0.12) painter.far(isSeen);
    else painter.lines(lines.filter(({ bounds }) =>
      bounds[2] >= left && bounds[0] <= right && bounds[3] >= top && bounds[1] <= bottom));
    for (const group of groups) if (group.parent >= 0 && isSeen(group.box)) painter.title(group);
    for (const group of closed) if (isSeen(group.box)) painter.closed(group);
    if (scale >= 0.12) for (const item of items) if (isSeen(item.box)) painter.item(item);
    this.map.draw();
  }

  // MARK: Picking

  /// The item, closed group, or open group by its title, at a place of the window.
  at(screenX, screenY) {
    const [x, y] = this.toSheet(screenX, screenY);
    const isIn = (box) => Math.abs(x - box.x) <= box.width / 2 && y >= box.y && y <= box.y + box.height;
    const { items, closed, groups } = this.sheet.visible;
    const hit = items.find((item) => isIn(item.box)) ?? closed.find((group) => isIn(group.box));
    if (hit) return hit;
    return groups.findLast((group) => group.parent >= 0
      && Math.abs(x - group.box.x) <= group.box.width / 2 && y >= group.box.y && y <= group.box.y + Metrics.titleHeight
      && x <= group.box.x - group.box.width / 2 + 26 + group.title.length * 8) ?? null;
  }

  under({ offsetX, offsetY }) { return this.at(offsetX, offsetY) ?? this.lineAt(offsetX, offsetY); }

  /// The line that passes near a place of the window.
  lineAt(screenX, screenY) {
    if (this.scale < 0.2) return null;
    const [x, y] = this.toSheet(screenX, screenY);
    const reach = 5 / this.scale;
    const { context } = this;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.lineWidth = 2 * reach;
    const found = this.sheet.visible.lines.findLast(({ path, bounds }) => x >= bounds[0] - reach && x <= bounds[2] + reach
      && y >= bounds[1] && y <= bounds[3] && context.isPointInStroke(path, x, y));
    context.restore();
    return found ?? null;
  }

  hover(thing, event) {
    if (thing !== this.hovered) {
      this.hovered = thing;
      this.canvas.classList.toggle("pointing", thing !== null);
      this.redraw();
    }
    this.app.tip.show(thing ? this.tipFor(thing) : null, event);
  }

  tipFor(thing) {
    const { colors, model } = this.app;
    if (thing.gaps) {
      const amounts = colors.modes.filter((mode) => mode !== "kind").map((mode) => [mode, colors.amount(thing, mode)])
        .filter(([, amount]) => amount > 0).map(([mode, amount]) => Quantities[mode].text(amount));
      return [h("b", {}, thing.title), h("div", {}, `${thing.count} nodes · click to ${thing.isOpen ? "close" : "open"}`),
        amounts.length > 0 && h("div", {}, amounts.join(" · "))];
    }
    if (thing.targets) {
      const { name, type, bytes, layout } = this.sheet.values[thing.value];
      return [h("b", {}, type), h("div", { class: "name" }, name),
        h("div", {}, [layout, bytes > 0 && Units.bytes(bytes)].filter(Boolean).join(" · "))];
    }
    const parts = [h("b", {}, thing.title)];
    if (thing.node?.name) parts.push(h("div", { class: "name" }, thing.node.name));
    for (const value of thing.node ? this.sheet.made(thing) : [thing.value]) parts.push(h("div", {}, value.type));
    if (!thing.node) return parts;
    const facts = [];
    if (thing.node.macs > 0) facts.push(`${Units.count(thing.node.macs)} MACs`);
    if (thing.node.time > 0) {
      facts.push(`${Units.time(thing.node.time)} (${Units.percent(thing.node.time / model.profile.milliseconds)})`);
    }
    if (facts.length > 0) parts.push(h("div", {}, facts.join(" · ")));
    return parts;
  }

  pick(thing) {
    if (!thing) return this.app.select(null);
    if (thing.gaps) return this.toggle(thing);
    if (thing.targets) return this.app.select(this.sheet.values[thing.value].maker, { view: this, isStill: true });
    return this.app.select(thing, { view: this, isStill: true });
  }

  // MARK: Events

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 20 : event.deltaMode === 2 ? 400 : 1;
      if (event.shiftKey) return this.pan(-(event.deltaY + event.deltaX) * unit, 0);
      return this.zoom(Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.008 : 0.0016)), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
      this.hasMoved = this.pointers.size > 1;
      this.start = [event.offsetX, event.offsetY];
    });
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => {
      const isClick = this.pointers.size === 1 && !this.hasMoved;
      this.release(event);
      if (isClick) this.pick(this.under(event));
    });
    canvas.addEventListener("pointercancel", (event) => this.release(event));
    canvas.addEventListener("pointerleave", (event) => this.hover(null, event));
    canvas.addEventListener("dblclick", (event) => this.enter(this.at(event.offsetX, event.offsetY)));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("focus", () => { this.app.active = this; });
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    this.canvas.classList.remove("dragging");
  }

  move(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return this.hover(this.under(event), event);
    const place = [event.offsetX, event.offsetY];
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const spread = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
      this.zoom(spread(place) / Math.max(1, spread(last)), other[0], other[1]);
    } else if (this.hasMoved || Math.hypot(place[0] - this.start[0], place[1] - this.start[1]) > 4) {
      if (!this.hasMoved) {
        this.hasMoved = true;
        this.canvas.classList.add("dragging");
        this.hover(null, event);
        this.pan(place[0] - this.start[0], place[1] - this.start[1]);
      } else {
        this.pan(place[0] - last[0], place[1] - last[1]);
      }
    }
    this.pointers.set(event.pointerId, place);
  }

  /// Opens the first body of a node, or the function that it calls.
  enter(thing) {
    const inner = thing?.node ? this.app.model.inside(thing.node)[0] : null;
    if (inner) this.app.open(inner, this);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const selected = this.app.selected?.sheet === this.sheet ? this.app.selected : null;
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (steps[event.key]) {
      if (event.shiftKey) this.pan(-steps[event.key][1] * 80, -steps[event.key][0] * 80);
      else this.step(selected, ...steps[event.key]);
    } else if (event.key === "Enter") {
      if (selected?.node && this.app.model.inside(selected.node).length > 0) this.enter(selected);
      else this.app.panel.element.focus();
    } else if (event.key === "Backspace" && this.sheet.owner) {
      const { sheet, node } = this.sheet.owner;
      this.app.select(this.app.model.sheets[sheet].nodes[node].item, { view: this });
    } else if (event.key === "Backspace" && this.sheet.function !== null) {
      this.app.open(this.app.model.file, this);
    } else if (event.key === "c" && selected) {
      const group = this.sheet.groups[selected.group];
      if (group.parent >= 0 && group.isOpen) this.toggle(group);
    } else {
      return;
    }
    event.preventDefault();
  }

  /// To a neighbour: up to what is read, down to readers, sideways in the same row.
  step(selected, down, right) {
    const { items } = this.sheet.visible;
    if (!selected) {
      const first = items.reduce((best, item) => (!best || item.box.y < best.box.y ? item : best), null);
      if (first) this.app.select(first, { view: this });
      return;
    }
    reveal(selected);
    let next;
    if (down !== 0) {
      const neighbours = down > 0 ? this.sheet.after(selected) : this.sheet.before(selected);
      next = nearest(neighbours, selected);
    } else {
      const level = items.filter((item) => item !== selected && (item.box.x - selected.box.x) * right > 1
        && item.box.y < selected.box.y + selected.box.height && item.box.y + item.box.height > selected.box.y);
      next = nearest(level, selected);
    }
    if (next) this.app.select(next, { view: this });
  }
}

function nearest(items, item) {
  const distance = (other) => (other.box && item.box ? Math.abs(other.box.x - item.box.x) : Infinity);
  return items.reduce((best, other) => (!best || distance(other) < distance(best) ? other : best), null);
}
