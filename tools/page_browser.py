"""Headless Chromium through the DevTools protocol: just what a test of a page needs."""

import base64
import itertools
import json
import pathlib
import subprocess
import tempfile
import time
import urllib.request

import websocket


class Browser:
    """One Chromium with one tab."""

    def __init__(self, program="chromium", width=1400, height=900):
        self.profile = tempfile.TemporaryDirectory(prefix="sardonyx-page-")
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             "--remote-allow-origins=*", f"--user-data-dir={self.profile.name}", "--no-first-run", "--hide-scrollbars",
             "--disable-extensions", "--disable-background-networking", f"--window-size={width},{height}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = pathlib.Path(self.profile.name, "DevToolsActivePort")
        for _ in range(300):
            if port_file.exists() and port_file.read_text().strip():
                break
            time.sleep(0.1)
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            tab = next(tab for tab in json.load(answer) if tab["type"] == "page")
        self.socket = websocket.create_connection(tab["webSocketDebuggerUrl"], timeout=60)
        self.numbers = itertools.count(1)
        self.messages = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)
        self.profile.cleanup()

    def call(self, method, **parameters):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            if "method" in message:
                self.messages.append(message)

    def value(self, expression):
        """What an expression of the page gives, as JSON."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            detail = answer["exceptionDetails"]
            raise RuntimeError(f"{expression}: {detail.get('exception', {}).get('description', detail['text'])}")
        return answer["result"].get("value")

    def open(self, path):
        """Opens a file; returns the milliseconds until its first frame was drawn."""
        self.messages.clear()
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        for _ in range(600):
            ready = self.value("document.documentElement?.dataset.ready ?? null")
            if ready is not None:
                return int(ready)
            time.sleep(0.05)
        raise RuntimeError(f"{path} never got ready: {self.faults()}")

    def faults(self):
        """Exceptions, errors in the console, and requests to anything but files."""
        found = []
        self.value("0")
        for message in self.messages:
            parameters = message["params"]
            if message["method"] == "Runtime.exceptionThrown":
                detail = parameters["exceptionDetails"]
                found.append(detail.get("exception", {}).get("description", detail["text"]))
            elif message["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(parameters["entry"]["text"])
            elif message["method"] == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith(("file:", "data:", "about:")):
                    found.append(f"request to {url}")
            elif message["method"] == "Page.javascriptDialogOpening":
                found.append(f"dialog: {parameters['message']}")
        return found

    def frame(self):
        """Waits until what was asked for is drawn."""
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        """What prefers-color-scheme says: light or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def move(self, x, y):
        self.mouse("mouseMoved", x, y)
        self.frame()

    def click(self, x, y, count=1):
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=count)
        self.mouse("mouseReleased", x, y, button="left", clickCount=count)
        self.frame()

    def drag(self, x, y, dx, dy, steps=5):
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        for step in range(1, steps + 1):
            self.mouse("mouseMoved", x + dx * step / steps, y + dy * step / steps, button="left", buttons=1)
        self.mouse("mouseReleased", x + dx, y + dy, button="left", clickCount=1)
        self.frame()

    def wheel(self, x, y, delta):
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=delta)
        self.frame()

    KEYS = {"Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, "ArrowLeft": 37, "ArrowRight": 39, "Backspace": 8,
            "Tab": 9}

    def key(self, key, shift=False):
        code = self.KEYS.get(key)
        text = {"Enter": "\r"}.get(key) if code else key
        more = {"windowsVirtualKeyCode": code} if code else {}
        if text:
            more["text"] = text
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, modifiers=8 if shift else 0, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, modifiers=8 if shift else 0)
        self.frame()

    def type(self, text):
        self.call("Input.insertText", text=text)
        self.frame()

    def press(self, selector):
        """Clicks the middle of an element."""
        place = self.value(
            f"(() => {{ const element = document.querySelector({json.dumps(selector)});"
            " element.scrollIntoView({ block: 'nearest' }); const box = element.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        self.click(*place)

    def screenshot(self, path):
        self.frame()
        data = self.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
