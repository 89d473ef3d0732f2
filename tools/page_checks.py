"""What must hold of a model's page: its structure against the file, and what pointer and keys do."""

import re
import subprocess
import time
import xml.etree.ElementTree

import onnx

import page_models


class Check:
    """One model's page, and what is found wrong with it."""

    def __init__(self, name, path, browser, options):
        self.name, self.path, self.browser, self.options = name, path, browser, options
        self.failures, self.figures = [], {}
        self.model = onnx.load(path, load_external_data=False)

    def expect(self, condition, what):
        if not condition:
            self.failures.append(what)

    def equal(self, got, wanted, what):
        self.expect(got == wanted, f"{what}: {got!r}, not {wanted!r}")

    def command(self, *arguments):
        done = subprocess.run([self.options.command, *map(str, arguments)], capture_output=True, text=True)
        self.equal(done.returncode, 0, f"exit code of {arguments[0]} ({done.stderr.strip()[-300:]})")

    def picture(self, suffix=""):
        if self.options.screenshots:
            self.browser.screenshot(self.options.screenshots / f"{self.name}{suffix}.png")

    # What the page says of itself.

    def value(self, expression):
        return self.browser.value(f"(() => {{ const app = sardonyx; return {expression}; }})()")

    @property
    def selected(self):
        return self.value("app.selected && { name: app.selected.node?.name ?? app.selected.value.name,"
                          " operator: app.selected.node?.operator ?? null, sheet: app.selected.sheet.index }")

    def place(self, what):
        """The middle of an item in the first pane, in the window."""
        return self.value(
            f"(() => {{ const view = app.views[0]; const item = {what};"
            " const [x, y] = view.toScreen(item.box.x, item.box.y + item.box.height / 2);"
            " const box = view.canvas.getBoundingClientRect(); return [x + box.x, y + box.y]; })()")

    # The checks.

    def run(self, folder):
        self.html = folder / f"{self.name}.html"
        svg, dot = folder / f"{self.name}.svg", folder / f"{self.name}.dot"
        start = time.monotonic()
        self.command("inspect", self.path, "--html", self.html, "--svg", svg, "--dot", dot)
        self.figures["written in ms"] = round((time.monotonic() - start) * 1000)
        self.static_pictures(svg, dot)
        self.browser.scheme("light")
        self.browser.resize(1400, 900)
        self.figures["ready in ms"] = self.browser.open(self.html)
        self.browser.key("f")
        self.figures["usable in ms"] = self.value("Math.round(performance.now())")
        self.browser.key("0")
        self.figures["KB"] = self.html.stat().st_size // 1000
        self.structure()
        self.picture()
        self.pointer()
        self.keyboard()
        self.search()
        self.colours()
        self.groups()
        if self.value("app.model.plan !== null"):
            self.plan()
        self.bodies()
        self.looks()
        self.speed()
        self.expect(not self.browser.faults(), f"faults: {self.browser.faults()[:3]}")
        self.equal(self.browser.value("window.pwned ?? null"), None, "script that a name brought in")

    def static_pictures(self, svg, dot):
        if not (svg.exists() and dot.exists()):
            return
        graphs = [self.model.graph, *page_models.subgraphs(self.model.graph)]
        drawn = sum(len(page_models.drawn_nodes(graph)) for graph in graphs)
        # Of graphs inside nodes, and around such nodes.
        owners = [node for graph in graphs for node in graph.node if any(page_models.subgraphs_of(node))]
        frames = len(graphs) - 1 + len(owners)
        try:
            root = xml.etree.ElementTree.parse(svg).getroot()
            boxes = root.findall(".//{http://www.w3.org/2000/svg}rect/{http://www.w3.org/2000/svg}title")
            self.expect(len(boxes) >= drawn, f"SVG has {len(boxes)} boxes for {drawn} nodes")
            dashed = [box for box in root.iter("{http://www.w3.org/2000/svg}rect") if box.get("stroke-dasharray")]
            self.equal(len(dashed), frames, "frames of graphs inside nodes in the SVG")
        except xml.etree.ElementTree.ParseError as error:
            self.failures.append(f"SVG: {error}")
        text = dot.read_text()
        self.expect(len(re.findall(r"^ +n\d+ \[", text, re.M)) >= drawn, "DOT lacks nodes")
        self.equal(len(re.findall(r'style="rounded,dashed"', text)), frames, "clusters of graphs inside nodes in DOT")
        outside = re.sub(r'"(\\.|[^"\\])*"', "", text)
        self.expect('"' not in outside and outside.count("{") == outside.count("}"), "DOT is not well formed")

    def structure(self):
        graphs = [self.model.graph, *page_models.subgraphs(self.model.graph)]
        sheets = self.value("app.model.sheets.filter((sheet) => !app.model.isPlanned(sheet)).map((s) => s.nodes.length)")
        self.equal(sorted(sheets), sorted(len(page_models.drawn_nodes(graph)) for graph in graphs), "nodes of all graphs")
        kinds = self.value("app.model.file.nodes.map((node) => node.operator).sort()")
        self.equal(kinds, sorted(node.op_type for node in page_models.drawn_nodes(self.model.graph)), "operators")
        # Boxes of a row must not overlap, and every line must lead down.
        self.equal(self.value(
            "app.model.sheets.map((sheet) => { sheet.groups.forEach((group) => { group.isOpen = true; });"
            " placeSheet(sheet); const boxes = sheet.items.map((item) => item.box).sort((a, b) => a.y - b.y);"
            " let count = 0; boxes.forEach((a, index) => { for (let other = index + 1; other < boxes.length"
            " && boxes[other].y < a.y + a.height; other += 1) { const b = boxes[other];"
            " if (Math.abs(a.x - b.x) < (a.width + b.width) / 2 - 0.5) count += 1; } }); return count; })"
            ".reduce((a, b) => a + b, 0)"), 0, "overlapping boxes")
        self.equal(self.value(
            "app.model.sheets.flatMap((sheet) => sheet.values.flatMap((value) => value.readers.filter((reader) =>"
            " value.maker && value.maker.box.y + value.maker.box.height > reader.box.y))).length"), 0, "lines upwards")
        self.browser.open(self.html)

    def pointer(self):
        item = "app.views[0].sheet.visible.items.filter((item) => item.node).sort((a, b) => a.box.y - b.box.y)[0]"
        self.value(f"app.views[0].focus({item}, true)")
        self.browser.frame()
        wanted = self.value(f"{item}.node.name")
        place = self.place(item)
        self.browser.move(*place)
        self.expect(self.value("!app.tip.element.hidden"), "no tip under the pointer")
        self.browser.click(*place)
        self.equal(self.selected and self.selected["name"], wanted, "node selected by a click")
        title = self.value("document.querySelector('#panel h2').textContent")
        self.expect(self.selected and self.selected["operator"] in title, f"panel shows {title[:60]!r}")
        if self.value("app.selected.sheet.made(app.selected).some((value) => value.readers.length > 0)"):
            x, y = self.place("app.selected")
            below = self.value("app.views[0].scale * app.selected.box.height / 2") + 5
            self.browser.move(x, y + below)
            name = self.value("app.selected.sheet.made(app.selected)[0].name")
            self.expect(name in self.value("app.tip.element.textContent"), "no tip with the tensor's name on a line")
        scale = self.value("app.views[0].scale")
        self.browser.wheel(*place, -240)
        self.expect(self.value("app.views[0].scale") > scale * 1.2, "wheel does not zoom")
        x = self.value("app.views[0].x")
        self.browser.drag(300, 700, 60, 10)
        self.expect(abs(self.value("app.views[0].x") - x - 60) < 3, "dragging does not move")
        self.picture("-selected")

    def keyboard(self):
        """Down goes to a node that reads the selected one's output, up to one that makes an input, as the file says."""
        self.value("app.select(app.model.file.items.find((item) => item.type === ItemType.input && item.value.readers.some"
                   "((reader) => reader.node)))")
        self.value("app.views[0].canvas.focus()")
        name = self.selected["name"]
        self.browser.key("ArrowDown")
        reads = {output: page_models.read_values(node) for node in self.model.graph.node for output in node.output}
        made = "app.selected.sheet.made(app.selected).map((value) => value.name)"
        reached = self.value(made) or [self.selected["name"]]
        self.expect(any(name in reads.get(output, [output]) for output in reached),
                    f"down from {name[:40]!r} leads to {reached[0][:40]!r}")
        self.browser.key("ArrowUp")
        self.expect(any(value in reads.get(reached[0], reached) for value in self.value(made)),
                    f"up from {reached[0][:40]!r} leads to {self.selected}")
        self.browser.key("f")
        self.expect(self.value("app.views[0].sheet.groups[0].box.height * app.views[0].scale <= app.views[0].height"),
                    "f does not fit the graph")
        self.browser.key("?")
        self.expect(self.value("document.getElementById('keys').open"), "? shows no help")
        self.browser.key("Escape")
        self.expect(self.value("!document.getElementById('keys').open"), "Escape leaves the help open")
        self.browser.key("Escape")
        self.equal(self.selected, None, "selection after Escape")

    def search(self):
        operator = page_models.drawn_nodes(self.model.graph)[0].op_type
        words = operator.lower().split()
        graphs = [self.model.graph, *page_models.subgraphs(self.model.graph)]
        count = sum(node.op_type == operator for graph in graphs for node in page_models.drawn_nodes(graph))
        self.browser.key("/")
        self.browser.type(operator[:60])
        found = self.value("app.search.found.filter((item) => item.node && item.sheet !== app.model.plan"
                           f" && item.node.operator.toLowerCase().includes({words[0][:60]!r})).length") if words else 0
        self.expect(found >= count, f"search for {operator[:40]!r} finds {found} of {count} nodes")
        self.browser.key("Enter")
        first = self.value("app.search.place")
        self.expect(self.selected is not None, "Enter selects nothing")
        self.browser.key("Enter")
        self.equal((first, self.value("app.search.place")), (0, 1 % max(1, self.value("app.search.found.length"))),
                   "places of two Enters")
        self.picture("-search")
        self.browser.key("Escape")
        self.equal(self.value("app.found.size"), 0, "found after Escape")

    def colours(self):
        modes = self.value("app.colors.modes")
        for mode in modes:
            self.value(f"(() => {{ const select = document.getElementById('colors'); select.value = '{mode}';"
                       " select.dispatchEvent(new Event('change')); })()")
            self.browser.frame()
            self.equal(self.value("app.colors.mode"), mode, "colour mode")
            self.expect(self.value("app.views[0].legend.textContent.length") > 5, f"no legend for {mode}")
            self.picture(f"-{mode}")
        self.value("app.setColors('kind')")

    def groups(self):
        if self.value("app.model.file.groups.length") < 2:
            return
        self.value("app.setMode('file')")
        self.value("app.views[0].openAll(true)")
        self.value("app.views[0].focus(app.model.file.groups[1].items[0] ?? app.model.file.items.at(-1), true)")
        before = self.value("app.model.file.visible.items.length")
        self.value("(() => { const view = app.views[0]; const { box } = app.model.file.groups[1];"
                   " view.scale = 1; view.x = 300 - box.x + box.width / 2; view.y = 200 - box.y; view.draw(); })()")
        x, y = self.value("(() => { const box = app.views[0].canvas.getBoundingClientRect(); return [box.x, box.y]; })()")
        self.browser.click(x + 320, y + 213)
        after = self.value("app.model.file.visible.items.length")
        self.equal(before - after, self.value("app.model.file.groups[1].count"), "items that closing a group hides")
        self.value("(() => { const view = app.views[0]; view.x = 400 - app.model.file.groups[1].box.x; view.draw(); })()")
        middle = self.value("(() => { const { box } = app.model.file.groups[1];"
                            " return app.views[0].toScreen(box.x, box.y + box.height / 2); })()")
        self.browser.click(x + middle[0], y + middle[1])
        self.equal(self.value("app.model.file.visible.items.length"), before, "items after the group is opened")

    def plan(self):
        self.browser.press("[data-mode=both]")
        self.equal(self.value("app.views.length"), 2, "panes side by side")
        self.traces()
        self.value("app.select(app.model.plan.nodes.find((node) => node.origins.length > 1)?.item"
                   " ?? app.model.plan.nodes.find((node) => node.origins.length > 0).item)")
        self.browser.frame()
        self.expect(self.value("[...app.twins].every((item) => item.sheet === app.model.file) && app.twins.size > 0"),
                    "a kernel has no counterparts in the file")
        self.picture("-both")
        self.browser.press("[data-mode=memory]")
        blocks = self.value("app.model.memory.buffers")
        overlaps = sum(
            a[2] <= b[3] and b[2] <= a[3] and a[0] < b[0] + b[1] and b[0] < a[0] + a[1]
            for index, a in enumerate(blocks) for b in blocks[index + 1:])
        self.equal(overlaps, 0, "blocks of memory that overlap")
        arena = self.value("app.model.memory.arena")
        self.expect(all(block[0] + block[1] <= arena for block in blocks), "a block beyond the arena")
        if blocks:
            place = self.value(
                "(() => { const [x, y, w, h] = app.memory.box(app.memory.blocks.reduce((a, b) => a.bytes > b.bytes ? a : b));"
                " const box = app.memory.canvas.getBoundingClientRect(); return [box.x + x + w / 2, box.y + y + h / 2]; })()")
            self.browser.move(*place)
            self.expect(self.value("!app.tip.element.hidden && app.tip.element.textContent.includes('steps')"),
                        "no tip in the memory chart")
        self.picture("-memory")
        self.value("app.select(null)")
        self.browser.press("[data-mode=file]")

    def traces(self):
        """Kernels lead to the nodes that they compute, and these back; only changes of layout compute none."""
        self.equal(self.value("app.model.plan.nodes.filter((node) => node.step >= 0 && node.origins.length === 0"
                              " && node.operator !== 'Reorder').map((node) => node.name)"), [], "kernels without origins")
        self.equal(self.value("app.model.file.nodes.filter((node) => node.macs > 0 && node.kernels.length !== 1"
                              " || node.operator === 'Relu' && node.kernels.length > 1).map((node) => node.name)"), [],
                   "nodes with work that not exactly one kernel computes")
        self.equal(self.value("app.model.plan.nodes.every((node) => app.model.twins(node.item).every((item) =>"
                              " app.model.twins(item).includes(node.item)))"), True, "traces that lead there and back")

    def bodies(self):
        owner = "app.model.sheets.find((sheet) => sheet.owner)"
        if not self.value(f"Boolean({owner})"):
            return
        self.value(f"app.select(app.model.sheets[{owner}.owner.sheet].nodes[{owner}.owner.node].item)")
        self.value("app.views[0].canvas.focus()")
        self.browser.key("Enter")
        self.expect(self.value("Boolean(app.views[0].sheet.owner)"), "Enter does not lead into a body")
        self.picture("-body")
        self.browser.key("Backspace")
        self.expect(self.value("!app.views[0].sheet.owner"), "Backspace does not lead back")

    def looks(self):
        self.value("app.views[0].home()")
        self.browser.press("#theme")
        self.equal(self.browser.value("document.documentElement.dataset.theme"), "dark", "theme after a click")
        self.picture("-dark")
        self.browser.resize(600, 900)
        self.browser.frame()
        self.equal(self.browser.value("document.documentElement.scrollWidth <= innerWidth"), True, "fits a narrow window")
        self.picture("-narrow")
        self.browser.resize(1400, 900)
        self.browser.press("#theme")
        self.browser.value("localStorage.clear()")

    def speed(self):
        """Milliseconds a frame, with everything in sight and with a window's worth."""
        measure = ("(() => { const view = app.views[0]; %s; const start = performance.now();"
                   " for (let frame = 0; frame < 20; frame += 1) { view.x += 1; view.draw(); view.context.getImageData(0, 0, 1, 1); }"
                   " return Math.round((performance.now() - start) / 2) / 10; })()")
        self.figures["ms a frame, all"] = self.value(measure % "view.openAll(true); view.fit()")
        self.figures["ms a frame, near"] = self.value(measure % "view.home()")
