// Weights in the panel: figures, a histogram, and a picture of filters or of a matrix.

function weightDetails(weight, colors) {
  if (weight.elements.length > 0) return [h("div", { class: "name" }, weight.elements.join(", "))];
  const facts = [
    ["mean ± deviation", `${Units.number(weight.mean)} ± ${Units.number(weight.deviation)}`],
    ["zeros", weight.zeros > 0 ? `${weight.zeros} (${Units.percent(weight.zeros / weight.count)})` : "none"],
  ];
  if (weight.nans > 0) facts.push(["NaN", `${weight.nans}`]);
  if (weight.infinities > 0) facts.push(["infinite", `${weight.infinities}`]);
  const parts = [];
  if (weight.histogram.length > 0) {
    parts.push(histogram(weight, colors),
      h("div", { class: "ends" }, h("span", {}, Units.number(weight.minimum)), h("span", {}, Units.number(weight.maximum))));
  }
  parts.push(factList(facts));
  if (weight.nans + weight.infinities > 0) parts.push(h("p", { class: "problem" }, "Some elements are not finite."));
  if (weight.picture) parts.push(weightPicture(weight.picture, colors));
  return parts;
}

function histogram(weight, colors) {
  const [width, height] = [312, 64];
  const canvas = h("canvas", { role: "img", "aria-label":
    `Histogram of ${weight.count} elements from ${Units.number(weight.minimum)} to ${Units.number(weight.maximum)}` });
  const ratio = devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const most = Math.max(1, ...weight.histogram);
  const step = width / weight.histogram.length;
  context.fillStyle = colors.accent;
  weight.histogram.forEach((count, bin) => {
    const bar = count > 0 ? Math.max(1, (count / most) * (height - 4)) : 0;
    context.fillRect(bin * step + 0.5, height - bar, step - 1, bar);
  });
  if (weight.minimum < 0 && weight.maximum > 0) {
    const zero = (-weight.minimum / (weight.maximum - weight.minimum)) * width;
    context.fillStyle = colors.muted;
    context.fillRect(zero - 0.5, 0, 1, height);
  }
  return canvas;
}

function weightPicture(picture, colors) {
  const dots = Uint8Array.from(atob(picture.dots), (character) => character.charCodeAt(0));
  const isColored = picture.kind === "colorFilters";
  const rows = Math.ceil(picture.count / picture.columns);
  const gap = picture.count > 1 ? 1 : 0;
  const [width, height] = [picture.columns * (picture.width + gap) + gap, rows * (picture.height + gap) + gap];
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const zoom = Math.max(1, Math.min(8, Math.floor(312 / width), Math.floor(190 / height)));
  canvas.style.width = `${Math.min(312, width * zoom)}px`;
  const context = canvas.getContext("2d");
  context.fillStyle = colors.surface;
  context.fillRect(0, 0, width, height);
  const image = context.getImageData(0, 0, width, height);
  const area = picture.width * picture.height;
  for (let filter = 0; filter < picture.count; filter += 1) {
    const left = gap + (filter % picture.columns) * (picture.width + gap);
    const top = gap + Math.floor(filter / picture.columns) * (picture.height + gap);
    for (let dot = 0; dot < area; dot += 1) {
      const target = ((top + Math.floor(dot / picture.width)) * width + left + (dot % picture.width)) * 4;
      const color = isColored ? dots.subarray((filter * area + dot) * 3, (filter * area + dot) * 3 + 3)
        : signed(dots[filter * area + dot]);
      image.data.set(color, target);
    }
  }
  context.putImageData(image, 0, 0);
  const what = isColored ? "The first filters in red, green and blue; grey is zero"
    : picture.kind === "filters" ? "Filters: a row for each output channel; blue is negative, red positive"
      : "Matrix, thinned out; blue is negative, red positive";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", what);
  return h("div", {}, canvas, h("p", { class: "muted" }, what));
}

/// Blue for less than 128, white, red for more.
function signed(dot) {
  const amount = (dot - 128) / 127;
  const end = amount < 0 ? [33, 102, 172] : [178, 24, 43];
  return end.map((part) => Math.round(247 + (part - 247) * Math.abs(amount) ** 0.8));
}
