"""The table of operations, from openapi.yaml: the name of each, its method and its path."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]

MODULE = '''"""Operations of the API by name: their methods and paths."""

OPERATIONS: dict[str, tuple[str, str]] = {
'''


def operations() -> dict[str, tuple[str, str]]:
    """Return the operations in the order of their paths. Each but a stream is a method of the clients."""
    paths = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"]
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in sorted(paths.items())
        for method, operation in methods.items()
        if "operationId" in operation
    }


def modules() -> dict[str, str]:
    """Return the source of the module, by its path in the package."""
    rows = "".join(f'    "{name}": ("{method}", "{path}"),\n' for name, (method, path) in operations().items())
    return {"_operations.py": f"{MODULE}{rows}}}\n"}
