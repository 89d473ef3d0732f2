// The arena over the schedule: steps from left to right, offsets upwards, a rectangle for each block of memory.

class MemoryChart {
  constructor(app) {
    this.app = app;
    const { memory } = app.model;
    this.canvas = h("canvas", { role: "img", "aria-label": `Memory by step: ${memory.buffers.length} blocks in an arena of ${
      Units.bytes(memory.arena)}` });
    this.note = h("small");
    this.element = h("section", { class: "memory", "aria-label": "Memory" }, this.canvas,
      h("h2", {}, "Memory of a run", this.note));
    this.blocks = memory.buffers.map(([offset, bytes, first, last, values]) => ({ offset, bytes, first, last, values }));
    for (const block of this.blocks) block.item = this.maker(block);
    this.live = this.liveBytes(Math.max(1, memory.steps));
    this.peak = this.live.reduce((best, bytes, step) => (bytes > this.live[best] ? step : best), 0);
    this.note.textContent = `Peak at step ${this.peak}: ${Units.bytes(this.live[this.peak])} in use of an arena of ${
      Units.bytes(memory.arena)}; with the results a run takes ${Units.bytes(memory.peak)}.`;
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", (event) => {
      this.hovered = null;
      this.app.tip.show(null, event);
      this.draw();
    });
    this.canvas.addEventListener("click", (event) => {
      const block = this.at(event.offsetX, event.offsetY);
      if (block?.item) app.select(block.item);
    });
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /// The node that writes a block first: of its makers the earliest, or the step whose scratch memory it is.
  maker(block) {
    const { plan } = this.app.model;
    if (block.values.length === 0) return plan.nodes.find((node) => node.step === block.first)?.item ?? null;
    const makers = block.values.map((value) => plan.values[value].maker).filter((item) => item?.node);
    return makers.sort((a, b) => a.node.index - b.node.index)[0] ?? null;
  }

  liveBytes(steps) {
    const live = new Array(steps).fill(0);
    for (const block of this.blocks) {
      for (let step = block.first; step <= Math.min(block.last, steps - 1); step += 1) live[step] += block.bytes;
    }
    return live;
  }

  atPeak() {
    return this.blocks.filter((block) => block.first <= this.peak && block.last >= this.peak)
      .sort((a, b) => b.bytes - a.bytes);
  }

  name(block) {
    if (block.values.length === 0) return `Scratch of ${block.item ? label(block.item) : "a step"}`;
    return block.values.map((value) => this.app.model.plan.values[value].name).slice(0, 4).join(", ")
      + (block.values.length > 4 ? ` and ${block.values.length - 4} more` : "");
  }

  get frame() {
    const [left, top] = [68, 62];
    return { left, top, width: Math.max(10, this.element.clientWidth - left - 20),
      height: Math.max(10, this.element.clientHeight - top - 44) };
  }

  box(block) {
    const { left, top, width, height } = this.frame;
    const most = Math.max(1, this.app.model.memory.arena);
    const step = width / this.live.length;
    const y = top + height - ((block.offset + block.bytes) / most) * height;
    return [left + block.first * step, y, Math.max(1.5, (block.last - block.first + 1) * step - 0.5),
      Math.max(1, (block.bytes / most) * height - 0.5)];
  }

  draw() {
    const { canvas, app: { colors } } = this;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(this.element.clientWidth * ratio);
    canvas.height = Math.round(this.element.clientHeight * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const { left, top, width, height } = this.frame;
    context.fillStyle = colors.surface;
    context.fillRect(left, top, width, height);
    this.drawAxes(context);
    const isChosen = (block) => block.item && (block.item === this.app.selected || this.app.twins.has(block.item));
    for (const block of this.blocks) {
      const [x, y, w, h] = this.box(block);
      const isScratch = block.values.length === 0;
      context.globalAlpha = isScratch ? 0.55 : 1;
      context.fillStyle = block.item ? colors.fills[block.item.kind] ?? colors.nest : colors.nest;
      context.fillRect(x, y, w, h);
      context.globalAlpha = 1;
      if (w > 4 && h > 4) {
        context.strokeStyle = block.item ? colors.strokes[block.item.kind] ?? colors.muted : colors.muted;
        context.lineWidth = 1;
        context.setLineDash(isScratch ? [3, 3] : []);
        context.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
        context.setLineDash([]);
      }
      if (block === this.hovered || isChosen(block)) {
        context.strokeStyle = block === this.hovered ? colors.accent : colors.twin;
        context.lineWidth = 2.5;
        context.strokeRect(x, y, w, h);
      }
    }
    this.drawPeak(context);
  }

  drawAxes(context) {
    const { colors, model: { memory } } = this.app;
    const { left, top, width, height } = this.frame;
    context.font = `11px ${colors.font}`;
    context.fillStyle = colors.muted;
    context.strokeStyle = colors.hairline;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const bytes of ticks(memory.arena, 6, 1024)) {
      const y = Math.round(top + height - (bytes / Math.max(1, memory.arena)) * height) + 0.5;
      context.fillText(Units.bytes(bytes), left - 8, y);
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(left + width, y);
      context.stroke();
    }
    context.textAlign = "center";
    for (const step of ticks(this.live.length, 10, 10)) {
      if (step >= this.live.length) break;
      context.fillText(`${step}`, left + ((step + 0.5) / this.live.length) * width, top + height + 14);
    }
    context.fillText("step", left + width / 2, top + height + 32);
  }

  drawPeak(context) {
    const { colors } = this.app;
    const { left, top, width, height } = this.frame;
    const x = left + ((this.peak + 0.5) / this.live.length) * width;
    context.strokeStyle = colors.found;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, top + height);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colors.found;
    context.font = `600 11px ${colors.font}`;
    context.textAlign = "center";
    context.fillText("peak", x, top - 8);
  }

  at(x, y) {
    return this.blocks.findLast((block) => {
      const [left, top, width, height] = this.box(block);
      return x >= left && x <= left + width && y >= top && y <= top + height;
    }) ?? null;
  }

  hover(event) {
    const block = this.at(event.offsetX, event.offsetY);
    this.app.tip.show(block ? [h("b", {}, this.name(block)),
      h("div", {}, `${Units.bytes(block.bytes)} at offset ${Units.bytes(block.offset)}`),
      h("div", {}, `steps ${block.first} to ${block.last}`),
      block.item && h("div", { class: "name" }, label(block.item))] : null, event);
    if (block === this.hovered) return;
    this.hovered = block;
    this.canvas.classList.toggle("pointing", Boolean(block?.item));
    this.draw();
  }

  /// For the panel, while nothing is selected.
  details() {
    return [h("h2", {}, "At the peak"), h("p", { class: "muted" }, `Step ${this.peak}: what makes the ${
      Units.bytes(this.live[this.peak])}`), h("table", {}, h("tr", {}, h("th", {}, "tensor"), h("th", {}, "size"),
      h("th", {}, "steps")), this.atPeak().slice(0, 40).map((block) => h("tr", {},
      h("td", {}, block.item ? link(this.name(block), () => this.app.select(block.item)) : this.name(block)),
      h("td", {}, Units.bytes(block.bytes)), h("td", {}, `${block.first}–${block.last}`))))];
  }
}

/// Round numbers from 0 on, about this many.
function ticks(most, count, base) {
  let step = base === 1024 ? 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, most / count)))) : 1;
  while (most / step > count) step *= base === 1024 ? 2 : step.toString()[0] === "2" ? 2.5 : 2;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => Math.round(index * step));
}
