"""What must hold of pages of particular models: without weights, with functions, of a profile."""


def compact(check, folder):
    """Without weights the page of a large model is at most 3 MB."""
    html = folder / "compact.html"
    check.command("inspect", check.path, "--html", html, "--without-weights")
    check.expect(html.stat().st_size <= 3e6, f"{html.stat().st_size} bytes without weights")
    check.browser.open(html)
    check.expect(not check.browser.faults(), f"faults: {check.browser.faults()[:3]}")


def functions(check, folder):
    """Functions of the file: their calls are boxes, their own graphs can be entered, from each other too."""
    html = folder / "functions.html"
    check.command("inspect", check.path, "--html", html)
    check.browser.scheme("light")
    check.browser.open(html)
    check.equal(check.value("app.model.file.nodes.map((node) => node.operator)"),
                ["ReduceMean", "Sub", "Relu", "ReduceMean", "Sub", "Relu"], "nodes of the calls")
    check.equal(check.value("app.model.file.groups.map((group) => group.title).filter((title) => title)"),
                ["first", "second"], "boxes of the calls")
    check.equal(check.value("app.model.functions.map((sheet) => [sheet.function, sheet.nodes.map((n) => n.operator)])"),
                [["made.up.Centre", ["ReduceMean", "Sub"]], ["made.up.Block", ["Centre", "Relu"]]], "functions")
    check.browser.value("[...document.querySelectorAll('#panel .link')].find((link) =>"
                        " link.textContent.startsWith('made.up.Block')).id = 'block'")
    check.browser.press("#block")
    check.equal(check.value("app.views[0].sheet.function"), "made.up.Block", "function after a click in the panel")
    check.value("app.select(app.views[0].sheet.nodes[0].item)")
    check.value("app.views[0].canvas.focus()")
    check.picture("-block")
    check.browser.key("Enter")
    check.equal(check.value("app.views[0].sheet.function"), "made.up.Centre", "function after Enter on its call")
    check.browser.key("Backspace")
    check.expect(check.value("app.views[0].sheet === app.model.file"), "Backspace does not lead back to the file")
    check.picture()
    check.expect(not check.browser.faults(), f"faults: {check.browser.faults()[:3]}")


def profiled(check, folder):
    """The page of a profile has times, and colours by them."""
    html, trace = folder / "profile.html", folder / "trace.json"
    check.command("profile", check.path, "--rounds", 3, "--warm-up", 1, "--html", html, "--trace", trace)
    check.browser.open(html)
    check.equal(check.value("app.colors.mode"), "time", "colours of a profile")
    total = "app.model.profile.steps.reduce((sum, step) => sum + step[0], 0)"
    for graph, least in (("plan", 0.99), ("file", 0.9)):
        share = check.value(f"app.model.{graph}.nodes.reduce((sum, node) => sum + Math.max(0, node.time), 0) / {total}")
        check.expect(least < share < 1.01, f"times of the {graph}'s nodes sum up to {share:.2f} of those of the steps")
    check.picture("-profile")
    check.expect(not check.browser.faults(), f"faults: {check.browser.faults()[:3]}")
