// How groups, lines and boxes look.

class Painter {
  constructor(view) {
    this.view = view;
    this.context = view.context;
    this.app = view.app;
  }

  get scale() { return this.view.scale; }
  get sheet() { return this.view.sheet; }
  get hovered() { return this.view.hovered; }

  /// From far: all lines at once, and boxes without frames and texts.
  far(isSeen) {
    const { context, app, sheet: { visible } } = this;
    visible.path ??= straightLines(this.sheet);
    context.lineWidth = 0.7 / this.scale;
    context.strokeStyle = app.colors.edge;
    context.stroke(visible.path);
    for (const item of visible.items) {
      if (!isSeen(item.box)) continue;
      const { x, y, width, height } = item.box;
      const ring = this.ring(item);
      const frame = ring ? 3 / this.scale : 0;
      context.fillStyle = ring ?? app.colors.far(item);
      context.fillRect(x - width / 2 - frame, y - frame, width + 2 * frame, height + 2 * frame);
    }
  }

  group({ box, depth }) {
    const { context, app: { colors } } = this;
    context.beginPath();
    context.roundRect(box.x - box.width / 2, box.y, box.width, box.height, 9);
    context.fillStyle = depth % 2 === 1 ? colors.nest : colors.ground;
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = colors.hairline;
    context.stroke();
  }

  /// Above the lines, so that none crosses the text.
  title(group) {
    if (this.scale < 0.28) return;
    const { context, app: { colors } } = this;
    const { box, depth } = group;
    context.font = `600 11px ${colors.font}`;
    const text = fitted(context, `▾ ${group.title}`, box.width - 20);
    const width = context.measureText(text).width;
    context.fillStyle = depth % 2 === 1 ? colors.nest : colors.ground;
    context.fillRect(box.x - box.width / 2 + 7, box.y + 5, width + 6, 16);
    context.fillStyle = this.hovered === group ? colors.accent : colors.muted;
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillText(text, box.x - box.width / 2 + 10, box.y + 13.5);
  }

  lines(lines) {
    const { context, app } = this;
    context.lineWidth = Math.max(1.2, 0.7 / this.scale);
    context.strokeStyle = app.colors.edge;
    for (const line of lines) context.stroke(line.path);
    if (this.scale > 0.35) {
      context.fillStyle = app.colors.edge;
      for (const line of lines) for (const [x, y] of line.tips) arrow(context, x, y, 3.2);
    }
    if (this.hovered?.targets) {
      context.strokeStyle = app.colors.accent;
      for (const line of lines) if (line.value === this.hovered.value) context.stroke(line.path);
    }
    const focus = app.selected?.sheet === this.sheet ? app.selected
      : this.hovered?.sheet === this.sheet ? this.hovered : null;
    if (focus) this.linesOf(focus);
  }

  /// The lines of what an item reads and makes, with arrows.
  linesOf(item) {
    const { context, sheet, app: { colors } } = this;
    const made = new Set(sheet.made(item).map((value) => value.index));
    const read = new Set(sheet.read(item).map((value) => value.index));
    const around = new Set();
    for (let group = item.group; group >= 0; group = sheet.groups[group].parent) around.add(sheet.groups[group]);
    context.lineWidth = Math.max(2, 1.4 / this.scale);
    context.strokeStyle = colors.accent;
    context.fillStyle = colors.accent;
    for (const group of sheet.visible.groups) {
      for (const line of group.lines) {
        const isMade = made.has(line.value);
        if (!isMade && !read.has(line.value)) continue;
        const leads = (end) => end === item || around.has(end)
          || (end === null && !around.has(group));
        const path = new Path2D();
        walkLine(sheet, group, line, isMade ? null : leads, (x, y) => path.moveTo(x, y),
          (x0, y0, x1, y1) => curveTo(path, x0, y0, x1, y1));
        context.stroke(path);
        for (const [x, y, end] of line.tips) if (isMade || leads(end)) arrow(context, x, y, 4.5);
      }
    }
  }

  closed(group) {
    const { context, app } = this;
    const { colors } = app;
    const { box } = group;
    context.beginPath();
    context.roundRect(box.x - box.width / 2 + 3, box.y + 3, box.width, box.height, 9);
    context.fillStyle = colors.hairline;
    context.fill();
    context.beginPath();
    context.roundRect(box.x - box.width / 2, box.y, box.width, box.height, 9);
    let [ink, muted] = [colors.ink, colors.muted];
    context.fillStyle = colors.nest;
    if (colors.mode !== "kind") {
      const heat = colors.heat(colors.amount(group) / (colors.most(this.sheet) || 1));
      context.fillStyle = `rgb(${heat})`;
      const isLight = luminance(heat) > 0.36;
      [ink, muted] = isLight ? ["#1b2330", "#4a5567"] : ["#ffffff", "#d5dbe4"];
    }
    context.fill();
    context.lineWidth = app.twins.has(group) ? 3 : 1.3;
    context.strokeStyle = app.twins.has(group) ? colors.twin : this.hovered === group ? colors.accent : colors.edge;
    context.stroke();
    if (box.height * this.scale < 12) return;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = ink;
    context.font = `600 12px ${colors.font}`;
    context.fillText(fitted(context, `▸ ${group.title}`, box.width - 16), box.x, box.y + 14);
    context.fillStyle = muted;
    context.font = `10.5px ${colors.font}`;
    context.fillText(`${group.count} nodes`, box.x, box.y + 29);
  }

  item(item) {
    const { context, app } = this;
    const { colors } = app;
    const { box } = item;
    const look = colors.of(item);
    const [x, y] = [box.x - box.width / 2, box.y];
    context.beginPath();
    context.roundRect(x, y, box.width, box.height, item.node ? 7 : box.height / 2);
    context.fillStyle = look.fill;
    context.fill();
    const isRing = this.ring(item);
    context.lineWidth = isRing ? Math.max(3, 2 / this.scale) : 1.3;
    context.strokeStyle = isRing ?? look.stroke;
    context.stroke();
    if (box.height * this.scale < 13) return;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = look.ink;
    context.font = `600 12.5px ${colors.font}`;
    const room = box.width - 14;
    const isAlone = item.subtitle === "" || box.height * this.scale < 19;
    const title = item.node && app.model.inside(item.node).length > 0 ? `${item.title} ▣` : item.title;
    // Round ends leave less room above.
    const rise = item.node ? 8 : 6.5;
    context.fillText(fitted(context, title, room), box.x, y + box.height / 2 - (isAlone ? 0 : rise));
    if (isAlone) return;
    context.fillStyle = look.muted;
    context.font = `10.5px ${colors.font}`;
    context.fillText(fitted(context, item.subtitle, room), box.x, y + box.height / 2 + (item.node ? 9 : 8));
  }

  /// The colour of the ring around an item that is selected, found, or the counterpart of what is selected.
  ring(item) {
    const { app } = this;
    if (app.selected === item) return app.colors.accent;
    if (app.twins.has(item)) return app.colors.twin;
    if (app.found.has(item)) return app.colors.found;
    return this.hovered === item ? app.colors.accent : null;
  }
}

/// The text, or its end behind an ellipsis.
function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (context.measureText(`…${text.slice(middle)}`).width <= width) high = middle; else low = middle + 1;
  }
  return `…${text.slice(low)}`;
}

function arrow(context, x, y, size) {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - size, y - 2 * size);
  context.lineTo(x + size, y - 2 * size);
  context.closePath();
  context.fill();
}
