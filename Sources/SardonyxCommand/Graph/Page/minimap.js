// The whole sheet, small, with a frame around what the view shows; dragging moves the view.

class MiniMap {
  constructor(view) {
    this.view = view;
    this.canvas = h("canvas", { class: "map", "aria-hidden": "true" });
    this.image = null;
    const go = (event) => {
      if (event.buttons !== 1) return;
      const { scale, left, top } = this.frame;
      view.x = view.width / 2 - ((event.offsetX - left) / scale) * view.scale;
      view.y = view.height / 2 - ((event.offsetY - top) / scale) * view.scale;
      view.redraw();
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      go(event);
    });
    this.canvas.addEventListener("pointermove", go);
  }

  /// Of the room that it takes at the right edge.
  get width() { return this.canvas.hidden ? 0 : 96; }

  /// To be drawn anew: places or colours have changed.
  forget() { this.image = null; }

  draw() {
    const { view } = this;
    const box = view.sheet.groups[0].box;
    // Of no use where all is seen anyhow.
    this.canvas.hidden = view.width < 700 || view.height < 260;
    if (this.canvas.hidden) return;
    const width = 84;
    const most = Math.min(view.height - 78, 420);
    const height = Math.max(84, Math.min(most, (box.height * (width - 8)) / box.width + 8));
    const ratio = devicePixelRatio || 1;
    if (!this.image || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      const scale = Math.min((height - 8) / box.height, (width - 8) / box.width);
      this.frame = { scale, left: width / 2, top: (height - box.height * scale) / 2 };
      this.image = this.paint(width, height, ratio);
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.image, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { scale, left, top } = this.frame;
    const [x0, y0] = view.toSheet(0, 0);
    const [x1, y1] = view.toSheet(view.width, view.height);
    const clip = (value, most) => Math.min(Math.max(value, 1), most - 1);
    const [frameLeft, frameRight] = [clip(left + x0 * scale, width), clip(left + x1 * scale, width)];
    const [frameTop, frameBottom] = [clip(top + y0 * scale, height), clip(top + y1 * scale, height)];
    const selected = view.app.selected;
    if (selected?.sheet === view.sheet) {
      const place = shownFor(selected).box;
      if (place) {
        context.fillStyle = view.app.colors.accent;
        context.beginPath();
        context.arc(left + place.x * scale, top + place.y * scale, 3, 0, 7);
        context.fill();
      }
    }
    context.lineWidth = 1.5;
    context.strokeStyle = view.app.colors.accent;
    context.strokeRect(frameLeft, frameTop, Math.max(3, frameRight - frameLeft), Math.max(3, frameBottom - frameTop));
  }

  paint(width, height, ratio) {
    const image = document.createElement("canvas");
    image.width = Math.round(width * ratio);
    image.height = Math.round(height * ratio);
    const context = image.getContext("2d");
    const { scale, left, top } = this.frame;
    const { colors } = this.view.app;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const fill = ({ x, y, width: w, height: h }, color) => {
      context.fillStyle = color;
      context.fillRect(left + (x - w / 2) * scale, top + y * scale, Math.max(1.2, w * scale), Math.max(1, h * scale));
    };
    const { groups, items, closed } = this.view.sheet.visible;
    for (const group of groups) if (group.depth === 1) fill(group.box, colors.nest);
    for (const group of closed) fill(group.box, colors.edge);
    for (const item of items) fill(item.box, colors.far(item));
    return image;
  }
}
