// Where everything is, for the groups that are open now.
//
// The command laid the graph out: every member has a row and a middle in its group. Here rows are stacked: a closed
// group is low, and what is below it moves up. It is narrow, too: strips of its surroundings that are empty then are
// taken out. Orders and straight lines stay as they were, so nothing jumps.

const Metrics = { titleHeight: 26, closedHeight: 40 };

/// Sets the boxes of all visible items and groups (null for hidden ones) and the paths of all visible lines.
/// Boxes are { x, y, width, height } with x in the middle and y above.
function placeSheet(sheet) {
  for (const item of sheet.items) item.box = null;
  const heights = new Map();
  for (const group of [...sheet.groups].reverse()) {
    group.box = null;
    heights.set(group, measure(group, heights));
    squeeze(group);
  }
  const root = sheet.groups[0];
  root.box = { x: 0, y: 0, width: root.current, height: heights.get(root) };
  const visible = { groups: [], items: [], lines: [], closed: [] };
  const pending = [root];
  while (pending.length > 0) {
    const group = pending.pop();
    visible.groups.push(group);
    let y = group.box.y + (group.parent < 0 ? 0 : Metrics.titleHeight);
    group.rows = group.heights.map((height, row) => {
      const top = y + group.gaps[row];
      y = top + height;
      return [top, y];
    });
    for (const item of group.items) {
      item.box = { x: group.box.x + group.map(item.x), y: group.rows[item.row][0], width: item.width, height: item.height };
      visible.items.push(item);
    }
    for (const inner of group.groups) {
      inner.box = {
        x: group.box.x + group.map(inner.x), y: group.rows[inner.row][0], width: inner.current, height: heights.get(inner),
      };
      if (inner.isOpen) pending.push(inner); else visible.closed.push(inner);
    }
    for (const line of group.lines) {
      drawLine(sheet, group, line);
      visible.lines.push(line);
    }
  }
  sheet.visible = visible;
}

function measure(group, heights) {
  group.heights = new Array(group.gaps.length - 1).fill(0);
  for (const item of group.items) group.heights[item.row] = Math.max(group.heights[item.row], item.height);
  for (const inner of group.groups) group.heights[inner.row] = Math.max(group.heights[inner.row], heights.get(inner));
  if (group.parent >= 0 && !group.isOpen) return Metrics.closedHeight;
  const title = group.parent < 0 ? 0 : Metrics.titleHeight;
  return title + sum(group.gaps) + sum(group.heights);
}

/// Sets a group's width as it is now, and its map: from the middles of the layout to those of now.
function squeeze(group) {
  group.isSqueezed = group.groups.some((inner) => !inner.isOpen || inner.isSqueezed);
  group.map = (x) => x;
  group.current = group.parent >= 0 && !group.isOpen ? group.closedWidth : group.width;
  if (!group.isSqueezed || (group.parent >= 0 && !group.isOpen)) return;
  const spans = group.items.map((item) => [item.x - item.width / 2 - 11, item.x + item.width / 2 + 11]);
  for (const inner of group.groups) spans.push([inner.x - inner.current / 2 - 11, inner.x + inner.current / 2 + 11]);
  for (const line of group.lines) {
    for (const bend of line.bends) spans.push([bend - 5, bend + 5]);
    if (line.source < 0) spans.push([line.sourceX - 5, line.sourceX + 5]);
    for (const target of line.targets) if (target.end < 0) spans.push([target.x - 5, target.x + 5]);
  }
  spans.sort((a, b) => a[0] - b[0]);
  const kept = [];
  let total = 0;
  for (const [start, end] of spans) {
    const last = kept.at(-1);
    if (last && start <= last.end) {
      total += Math.max(0, end - last.end);
      last.end = Math.max(last.end, end);
    } else {
      kept.push({ start, end, place: total });
      total += end - start;
    }
  }
  group.current = Math.max(total + 6, group.parent < 0 ? 0 : group.closedWidth);
  group.map = (x) => {
    let [low, high] = [0, kept.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (kept[middle].start <= x) low = middle; else high = middle - 1;
    }
    const span = kept[low];
    return span.place + Math.min(Math.max(x, span.start), span.end) - span.start - total / 2;
  };
}

/// The x of a line's end: that of the group's own, of an item, or of a place on the edge of a group inside.
function endX(group, end, x) {
  if (!end?.gaps) return group.box.x + group.map(x);
  if (end.isOpen) return end.box.x + end.map(x - end.x);
  const reach = end.closedWidth / 2 - 12;
  return end.box.x + Math.min(Math.max(x - end.x, -reach), reach);
}

/// Calls `move(x, y)` and `to(x0, y0, x1, y1)` along a line: its trunk, then a branch to each target that is wanted.
function walkLine(sheet, group, line, wanted, move, to) {
  const source = sheet.end(line.source);
  const targets = wanted ? line.targets.filter((target) => wanted(sheet.end(target.end))) : line.targets;
  if (targets.length === 0) return;
  const startX = endX(group, source, line.sourceX);
  const startY = source ? source.box.y + source.box.height : group.box.y;
  const rowBottom = group.rows[line.sourceRow][1];
  const last = Math.max(...targets.map((target) => target.row));
  const trunk = [[startX, rowBottom]];
  move(startX, startY);
  to(startX, startY, startX, rowBottom);
  for (let row = line.sourceRow + 1; row < last && row - line.sourceRow - 1 < line.bends.length; row += 1) {
    const x = group.box.x + group.map(line.bends[row - line.sourceRow - 1]);
    const [top, bottom] = group.rows[row];
    const [fromX, fromY] = trunk.at(-1);
    to(fromX, fromY, x, top);
    to(x, top, x, bottom);
    trunk.push([x, bottom]);
  }
  for (const target of targets) {
    const end = sheet.end(target.end);
    const [fromX, fromY] = trunk[Math.min(target.row - line.sourceRow - 1, trunk.length - 1)] ?? trunk[0];
    const y = end ? group.rows[target.row][0] : group.box.y + group.box.height;
    move(fromX, fromY);
    to(fromX, fromY, endX(group, end, target.x), y);
  }
}

/// Straight down, or a curve that leaves and arrives vertically.
function curveTo(path, x0, y0, x1, y1) {
  if (Math.abs(x0 - x1) < 0.3) {
    path.lineTo(x1, y1);
  } else {
    const middle = (y0 + y1) / 2;
    path.bezierCurveTo(x0, middle, x1, middle, x1, y1);
  }
}

function drawLine(sheet, group, line) {
  const path = new Path2D();
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  walkLine(sheet, group, line, null, (x, y) => path.moveTo(x, y), (x0, y0, x1, y1) => {
    curveTo(path, x0, y0, x1, y1);
    bounds[0] = Math.min(bounds[0], x0, x1);
    bounds[1] = Math.min(bounds[1], y0, y1);
    bounds[2] = Math.max(bounds[2], x0, x1);
    bounds[3] = Math.max(bounds[3], y0, y1);
  });
  line.path = path;
  line.bounds = bounds;
  line.tips = [];
  for (const target of line.targets) {
    const end = sheet.end(target.end);
    // Lines into an open group go on inside of it.
    if (end && end.isOpen !== true) line.tips.push([endX(group, end, target.x), group.rows[target.row][0], end]);
  }
}

/// All visible lines as one path, without curves: for a view from far.
function straightLines(sheet) {
  const path = new Path2D();
  for (const group of sheet.visible.groups) {
    for (const line of group.lines) {
      walkLine(sheet, group, line, null, (x, y) => path.moveTo(x, y), (x0, y0, x1, y1) => path.lineTo(x1, y1));
    }
  }
  return path;
}

/// The innermost closed group around an item, or the item itself: what stands for it in the drawing.
function shownFor(item) {
  let shown = item;
  for (let group = item.sheet.groups[item.group]; group.parent >= 0; group = item.sheet.groups[group.parent]) {
    if (!group.isOpen) shown = group;
  }
  return shown;
}

/// Opens every group around an item; says whether one was closed.
function reveal(item) {
  let isChanged = false;
  for (let group = item.sheet.groups[item.group]; group.parent >= 0; group = item.sheet.groups[group.parent]) {
    if (!group.isOpen) isChanged = true;
    group.isOpen = true;
  }
  if (isChanged) placeSheet(item.sheet);
  return isChanged;
}

/// Closes arithmetic on shapes, which is no layer of the network, and groups of a large graph until what is open fits a
/// person, the outermost ones open first.
function closeGroups(sheet, fewest = 400, most = 220) {
  for (const group of sheet.groups) if (group.isShapes) group.isOpen = false;
  if (sheet.items.length <= fewest) return;
  for (const group of sheet.groups.slice(1)) group.isOpen = false;
  let shown = sheet.groups[0].items.length + sheet.groups[0].groups.length;
  const pending = [...sheet.groups[0].groups];
  while (pending.length > 0) {
    const group = pending.shift();
    if (group.isShapes) continue;
    const added = group.items.length + group.groups.length;
    // What holds nearly everything would hide nearly everything; but what is this wide is no better open.
    const isMost = group.count > sheet.items.length * 0.6 && group.width < 5000;
    if (shown + added > most && !isMost) continue;
    group.isOpen = true;
    shown += added;
    pending.push(...group.groups);
  }
}

function sum(numbers) { return numbers.reduce((total, number) => total + number, 0); }
