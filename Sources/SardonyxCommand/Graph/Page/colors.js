// What the nodes' colours say: their operator's kind, or a quantity.

const Quantities = {
  time: { label: "Measured time", of: (node) => node.time, text: Units.time },
  macs: { label: "MACs", of: (node) => node.macs, text: (value) => `${Units.count(value)} MACs` },
  bytes: { label: "Bytes moved", of: (node) => node.bytes, text: Units.bytes },
};

class Colors {
  constructor(model) {
    this.model = model;
    this.mode = model.profile ? "time" : "kind";
    this.greatest = new Map();
    this.setTheme(false);
  }

  get modes() {
    return ["kind", "time", "macs", "bytes"].filter((mode) => mode !== "time" || this.model.profile);
  }

  setTheme(isDark) {
    this.isDark = isDark;
    const style = getComputedStyle(document.documentElement);
    for (const name of ["ground", "surface", "nest", "ink", "muted", "hairline", "edge", "accent", "found", "twin"]) {
      this[name] = style.getPropertyValue(`--${name}`).trim();
    }
    this.font = style.getPropertyValue("--font").trim();
    this.stops = (isDark
      ? ["#29323e", "#544a26", "#96611d", "#d8582c", "#ff9d7e"]
      : ["#f3f5f8", "#fdeaa7", "#fbb04c", "#e8542f", "#99173c"]).map(parseColor);
    this.fills = this.model.kinds.map((kind) => mix(parseColor(kind.color), parseColor(this.surface), isDark ? 0.3 : 0.32));
    this.strokes = this.model.kinds.map((kind) => mix(parseColor(kind.color), parseColor(isDark ? "#ffffff" : "#1b2330"),
      isDark ? 0.92 : 0.82));
  }

  /// The quantity of an item or of all of a group; 0 where it is not known.
  amount(thing, mode = this.mode) {
    if (thing.node) return Math.max(0, Quantities[mode].of(thing.node));
    if (!thing.items) return 0;
    return sum(thing.items.map((item) => this.amount(item, mode)))
      + sum(thing.groups.map((group) => this.amount(group, mode)));
  }

  most(sheet) {
    const key = `${this.mode} ${sheet.index}`;
    if (!this.greatest.has(key)) {
      this.greatest.set(key, Math.max(0, ...sheet.items.map((item) => this.amount(item))));
    }
    return this.greatest.get(key);
  }

  /// { fill, stroke, ink } of an item's box.
  of(item) {
    if (!item.node) return { fill: this.surface, stroke: this.muted, ink: this.ink, muted: this.muted };
    if (this.mode === "kind") {
      return { fill: this.fills[item.kind], stroke: this.strokes[item.kind], ink: this.ink, muted: this.muted };
    }
    const fill = this.heat(this.amount(item) / (this.most(item.sheet) || 1));
    const isLight = luminance(fill) > 0.36;
    return {
      fill: `rgb(${fill})`, stroke: this.edge, ink: isLight ? "#1b2330" : "#ffffff",
      muted: isLight ? "#4a5567" : "#d5dbe4",
    };
  }

  /// Of an item from far, where there is no frame to tell it by.
  far(item) {
    if (!item.node) return this.muted;
    return this.mode === "kind" ? this.model.kinds[item.kind].color : this.of(item).fill;
  }

  /// A square root, so that small differences between small amounts can be seen.
  heat(fraction) {
    const place = Math.sqrt(Math.min(1, Math.max(0, fraction))) * (this.stops.length - 1);
    const index = Math.min(this.stops.length - 2, Math.floor(place));
    return this.stops[index].map((part, channel) =>
      Math.round(part + (this.stops[index + 1][channel] - part) * (place - index)));
  }

  legend(sheet) {
    if (this.mode === "kind") {
      const counts = new Map();
      for (const item of sheet.items) if (item.node) counts.set(item.kind, (counts.get(item.kind) ?? 0) + 1);
      return [...counts].sort((a, b) => b[1] - a[1]).map(([kind, count]) => {
        const swatch = h("i");
        swatch.style.background = this.model.kinds[kind].color;
        return h("span", {}, swatch, `${this.model.kinds[kind].name} ${count}`);
      });
    }
    const { label, text } = Quantities[this.mode];
    const scale = h("span", { class: "scale", "aria-hidden": "true" });
    const stops = [0, 0.1, 0.25, 0.5, 0.75, 1].map((place) => `rgb(${this.heat(place)}) ${place * 100}%`);
    scale.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    return [h("span", {}, label), h("span", {}, "0"), scale, h("span", {}, text(this.most(sheet)))];
  }
}

function parseColor(text) {
  return [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
}

function mix(color, other, share) {
  return `rgb(${color.map((part, channel) => Math.round(part * share + other[channel] * (1 - share)))})`;
}

/// Relative, of sRGB: 0 to 1.
function luminance(color) {
  const [red, green, blue] = color.map((part) => (part / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
