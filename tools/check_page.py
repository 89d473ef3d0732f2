"""Checks the page of `sardonyx inspect --html` and `profile --html`; see tools/check-page."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import onnx

import page_models
from page_browser import Browser
from page_cases import compact, functions, profiled
from page_checks import Check

ROOT = pathlib.Path(__file__).resolve().parent.parent
NANODET = ROOT.parent / "shared/data/models/nanodet_m.onnx"


def models(folder, wanted):
    """(name, path) of each model; those that are not there are left out and named."""
    def saved(name, made):
        path = folder / f"{name}.onnx"
        onnx.save(made, path)
        return path

    makers = {
        "demo": lambda: ROOT / "models/demo.onnx", "large": lambda: saved("large", page_models.large()),
        "control": lambda: saved("control", page_models.control()),
        "functions": lambda: saved("functions", page_models.functions()),
        "hostile": lambda: saved("hostile", page_models.hostile()), "nanodet": lambda: NANODET,
        "yolact": lambda: exported(folder),
    }
    for name, make in makers.items():
        if wanted and name not in wanted:
            continue
        path = make()
        if path is None or not path.exists():
            print(f"check-page: {name} left out: {path or 'the export failed'} is not there", file=sys.stderr)
            continue
        yield name, path


def exported(folder):
    path = folder / "yolact.onnx"
    done = subprocess.run(
        [sys.executable, ROOT / "tools/export_yolact.py", "--config", "yolact_resnet50", "--random", "0", "-o", path],
        capture_output=True, text=True)
    return path if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", required=True, help="the sardonyx to try")
    parser.add_argument("--only", nargs="+", default=[], help="names of models")
    parser.add_argument("--screenshots", type=pathlib.Path, default=ROOT / "out/page")
    parser.add_argument("--chromium", default="chromium")
    options = parser.parse_args()
    options.screenshots.mkdir(parents=True, exist_ok=True)
    failures = 0
    with tempfile.TemporaryDirectory() as name, Browser(options.chromium) as browser:
        folder = pathlib.Path(name)
        for name, path in models(folder, options.only):
            check = Check(name, path, browser, options)
            try:
                if name == "functions":
                    functions(check, folder)
                else:
                    check.run(folder)
                if name == "demo":
                    profiled(check, folder)
                if name == "large":
                    compact(check, folder)
            except RuntimeError as error:
                check.failures.append(f"the page failed: {error}")
            figures = ", ".join(f"{value} {what}" for what, value in check.figures.items())
            print(f"{'FAILED' if check.failures else 'ok':7}{name:9}{figures}")
            for failure in check.failures:
                print(f"         {failure}")
            failures += len(check.failures)
    print(f"check-page: {'all pages hold' if failures == 0 else f'{failures} failures'}; screenshots in {options.screenshots}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
