// Search: operators, nodes and tensors, in all graphs; Enter goes to the next one.

class Search {
  constructor(app) {
    this.app = app;
    this.input = document.getElementById("search");
    this.list = document.getElementById("results");
    this.count = document.getElementById("count");
    this.found = [];
    this.place = -1;
    this.input.addEventListener("input", () => this.update());
    this.input.addEventListener("focus", () => { if (this.found.length > 0) this.open(true); });
    this.input.addEventListener("blur", () => setTimeout(() => this.open(false), 150));
    this.input.addEventListener("keydown", (event) => this.key(event));
  }

  get texts() {
    this.entries ??= this.app.model.sheets.flatMap((sheet) => sheet.items.map((item) => ({ item, text: textOf(item) })));
    return this.entries;
  }

  /// Shows what is found for a text, as if it had been typed.
  run(text) {
    this.input.value = text;
    this.update();
    this.input.focus();
  }

  update() {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this.app.shownSheets();
    const rank = ({ item }) => (shown.includes(item.sheet) ? 0 : 1);
    this.found = words.length === 0 ? []
      : this.texts.filter(({ text }) => words.every((word) => text.includes(word)))
        .sort((a, b) => rank(a) - rank(b) || exactness(b.item, words) - exactness(a.item, words)).map(({ item }) => item);
    this.place = -1;
    this.app.found = new Set(this.found);
    this.fill();
    this.open(words.length > 0);
    this.app.redraw();
  }

  fill() {
    this.count.textContent = this.input.value.trim() === "" ? ""
      : this.place < 0 ? `${this.found.length}` : `${this.place + 1} / ${this.found.length}`;
    const start = Math.max(0, Math.min(this.place - 3, this.found.length - 60));
    this.list.replaceChildren(...this.found.slice(start, start + 60).map((item, index) => {
      const place = start + index;
      const row = h("li", { role: "option", id: `result-${place}`, "aria-selected": `${place === this.place}` },
        h("span", { class: "op" }, item.node ? operatorName(item.node) : label(item).split(" ")[0]),
        h("span", { class: "name" }, h("bdi", {}, item.node ? item.node.name || item.subtitle : item.value.name)),
        h("span", { class: "where" }, where(this.app.model, item.sheet)));
      row.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.go(place);
      });
      return row;
    }));
    if (this.found.length === 0 && this.input.value.trim() !== "") {
      this.list.replaceChildren(h("li", { class: "muted" }, "Nothing found"));
    }
    this.input.setAttribute("aria-activedescendant", this.place >= 0 ? `result-${this.place}` : "");
    this.list.children[this.place - start]?.scrollIntoView({ block: "nearest" });
  }

  open(isOpen) {
    this.list.hidden = !isOpen;
    this.input.setAttribute("aria-expanded", `${isOpen}`);
  }

  go(place) {
    if (this.found.length === 0) return;
    this.place = (place + this.found.length) % this.found.length;
    this.app.select(this.found[this.place], { isCentred: true });
    this.fill();
  }

  key(event) {
    if (event.key === "Enter") {
      // The list is out of the way of what is found.
      this.go(this.place + (event.shiftKey ? -1 : 1));
      this.open(false);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.open(true);
      this.go(this.place + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Escape") {
      if (this.input.value !== "") {
        this.input.value = "";
        this.update();
      }
      this.open(false);
      if (this.app.views.length > 0) this.app.views[0].canvas.focus(); else this.input.blur();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/// What an item is found by.
function textOf(item) {
  const { node, sheet } = item;
  if (!node) return `${item.value.name} ${item.value.type}`.toLowerCase();
  const tensors = [...node.outputs, ...node.inputs].filter((value) => value >= 0).map((value) => sheet.values[value])
    .filter((value) => value.isConstant || node.outputs.includes(value.index)).map((value) => value.name);
  return [operatorName(node), node.name, node.algorithm, item.subtitle, ...tensors].join(" ").toLowerCase();
}

/// Operators of exactly this name come first.
function exactness(item, words) { return item.node && words.includes(item.node.operator.toLowerCase()) ? 1 : 0; }

function where(model, sheet) {
  if (sheet.owner) return sheet.owner.attribute;
  return model.isPlanned(sheet) ? "plan" : sheet.function === null ? "file" : "function";
}
