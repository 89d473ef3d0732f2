"use strict";
// The model as the command wrote it: lists become objects that know each other.
//
// A sheet is one drawn graph: the file's (the first), the plan's, that of a function, or the body of a node such as If. Its items are the
// boxes of the drawing: nodes, and one for each input, captured value and output.

const ItemType = { node: 0, input: 1, capture: 2, output: 3 };

class Sheet {
  constructor(raw, index) {
    this.index = index;
    this.name = raw.name;
    this.owner = raw.owner ? { sheet: raw.owner[0], node: raw.owner[1], attribute: raw.owner[2] } : null;
    this.function = raw.function ?? null;
    this.values = raw.values.map(([name, type, layout, bytes, isConstant, weight], index) => ({
      index, name, type, layout, bytes, isConstant: isConstant === 1, weight, maker: null, readers: [],
    }));
    this.nodes = raw.nodes.map(
      ([name, domain, operator, algorithm, inputs, outputs, flat, macs, bytes, origins, step, bodies], index) => ({
        index, name, domain, operator, algorithm, inputs, outputs, attributes: pairs(flat), macs, bytes, origins, step,
        bodies, item: null, kernels: [], time: -1,
      }));
    this.inputs = raw.inputs;
    this.outputs = raw.outputs;
    this.captures = raw.captures;
    this.items = raw.items.map(([type, reference, title, subtitle, kind, group, row, x, width, height], index) => ({
      index, type, title, subtitle, kind, group, row, x, width, height, sheet: this,
      node: type === ItemType.node ? this.nodes[reference] : null,
      value: type === ItemType.node ? null : this.values[reference],
      box: null,
    }));
    this.groups = raw.groups.map(([title, parent, row, x, width, closedWidth, gaps, isShapes], index) => ({
      index, title, parent, row, x, width, closedWidth, gaps, isShapes: isShapes === 1, items: [], groups: [], lines: [], depth: 0, count: 0,
      isOpen: true, box: null, rows: [], isSqueezed: false, current: width, map: null,
    }));
    this.connect(raw.lines);
  }

  connect(lines) {
    for (const group of this.groups.slice(1)) {
      this.groups[group.parent].groups.push(group);
      group.depth = this.groups[group.parent].depth + 1;
    }
    for (const item of this.items) {
      this.groups[item.group].items.push(item);
      for (let group = item.group; group >= 0; group = this.groups[group].parent) this.groups[group].count += 1;
      if (item.node) {
        item.node.item = item;
        for (const output of item.node.outputs) if (output >= 0) this.values[output].maker = item;
      } else if (item.type !== ItemType.output) {
        item.value.maker = item;
      }
    }
    const readers = this.values.map(() => new Set());
    for (const [group, value, source, sourceRow, sourceX, bends, flat] of lines) {
      const targets = [];
      for (let index = 0; index < flat.length; index += 3) {
        targets.push({ end: flat[index], row: flat[index + 1], x: flat[index + 2] });
        const item = this.items[flat[index]];
        if (item) readers[value].add(item);
      }
      this.groups[group].lines.push({
        value, source, sourceRow, sourceX, bends, targets, path: null, bounds: null, tips: [],
      });
    }
    for (const value of this.values) {
      value.readers = [...readers[value.index]].sort((a, b) => a.index - b.index);
    }
  }

  /// The item or group that the end of a line names; null for the edge of the group itself.
  end(number) {
    if (number < 0) return null;
    return number < this.items.length ? this.items[number] : this.groups[number - this.items.length];
  }

  /// Values that an item reads and makes.
  read(item) {
    if (item.node) return this.values.filter((value) => value.readers.includes(item));
    return item.type === ItemType.output ? [item.value] : [];
  }

  made(item) {
    if (item.node) return item.node.outputs.filter((output) => output >= 0).map((output) => this.values[output]);
    return item.type === ItemType.output ? [] : [item.value];
  }

  /// Items before and behind an item, each once, from left to right.
  before(item) { return inOrder(this.read(item).map((value) => value.maker).filter((maker) => maker && maker !== item)); }
  after(item) { return inOrder(this.made(item).flatMap((value) => value.readers)); }
}

class Model {
  constructor(raw) {
    Object.assign(this, { title: raw.title, about: raw.about, weights: raw.weights.map(readWeight) });
    this.kinds = raw.kinds.map(([name, color]) => ({ name, color }));
    this.sheets = raw.sheets.map((sheet, index) => new Sheet(sheet, index));
    this.file = this.sheets[0];
    this.plan = raw.plan >= 0 ? this.sheets[raw.plan] : null;
    this.functions = this.sheets.filter((sheet) => sheet.function !== null);
    this.memory = raw.memory ?? null;
    this.profile = raw.profile ?? null;
    for (const node of this.plan?.nodes ?? []) {
      for (const origin of node.origins) this.file.nodes[origin].kernels.push(node);
    }
    if (this.profile) this.spreadTimes();
  }

  /// A step's time belongs to the node of the file that it mostly computes: the one with the most multiply-accumulates.
  spreadTimes() {
    for (const node of this.plan?.nodes ?? []) {
      const step = this.profile.steps[node.step];
      if (!step) continue;
      node.time = step[0];
      const origins = node.origins.map((origin) => this.file.nodes[origin]);
      for (const origin of origins) origin.time = Math.max(origin.time, 0);
      const main = origins.reduce((best, origin) => (!best || origin.macs > best.macs ? origin : best), null);
      if (main) main.time += step[0];
    }
  }

  /// Items that show the same work in the other graph.
  twins(item) {
    if (!item.node) {
      const other = item.sheet === this.file ? this.plan : item.sheet === this.plan ? this.file : null;
      return (other?.items ?? []).filter((twin) => twin.type === item.type && twin.value?.name === item.value.name);
    }
    if (item.sheet === this.plan) return item.node.origins.map((origin) => this.file.nodes[origin].item);
    return item.sheet === this.file ? item.node.kernels.map((node) => node.item) : [];
  }

  /// The function that a node calls; graphs of functions show such nodes, the file's graph what is inlined.
  functionOf({ domain, operator }) {
    const name = domain === "" ? operator : `${domain}.${operator}`;
    return this.functions.find((sheet) => sheet.function === name || sheet.function.startsWith(`${name}:`)) ?? null;
  }

  /// Graphs that can be entered from a node.
  inside(node) {
    const called = this.functionOf(node);
    return [...node.bodies.map((body) => this.sheets[body]), ...(called ? [called] : [])];
  }

  isPlanned(sheet) { return sheet === this.plan; }
}

function readWeight([type, count, [minimum, maximum, mean, deviation], [zeros, nans, infinities], histogram, elements,
  picture]) {
  return {
    type, count, minimum, maximum, mean, deviation, zeros, nans, infinities, histogram, elements,
    picture: picture.length === 0 ? null : readPicture(picture),
  };
}

function readPicture([kind, [count, height, width, columns], dots]) {
  return { kind, count, height, width, columns, dots };
}

function pairs(flat) {
  const found = [];
  for (let index = 0; index < flat.length; index += 2) found.push([flat[index], flat[index + 1]]);
  return found;
}

function inOrder(items) { return [...new Set(items)].sort((a, b) => (a.box?.x ?? 0) - (b.box?.x ?? 0)); }

// Quantities as people read them.
const Units = {
  count(value) {
    if (value < 0) return "unknown";
    for (const [unit, size] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
      if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`;
    }
    return `${value}`;
  },
  bytes(value) {
    if (value < 0) return "unknown";
    for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
      if (value >= size) return `${(value / size).toFixed(value / size < 10 ? 2 : 1)} ${unit}`;
    }
    return `${value} B`;
  },
  time(milliseconds) {
    if (milliseconds < 0) return "unknown";
    if (milliseconds < 1) return `${(milliseconds * 1e3).toFixed(milliseconds < 0.1 ? 1 : 0)} µs`;
    return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`;
  },
  number(value) {
    if (value === null || value === undefined) return "–";
    if (value === 0) return "0";
    const size = Math.abs(value);
    return size >= 1e5 || size < 1e-3 ? value.toExponential(2) : `${Number(value.toPrecision(4))}`;
  },
  percent(fraction) { return `${(fraction * 100).toFixed(fraction < 0.0995 ? 1 : 0)} %`; },
};
