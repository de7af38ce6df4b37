"""What `docs/` publishes for programs: JSON Schemas, made from the models that read what they describe, and OpenAPI.

```
Template, FormSpec ─ json_schema ─▶ dict ─ publish ─▶ stdout, or a file of docs/
```
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(model: type[BaseModel], *, title: str) -> dict[str, Any]:
    """Return the JSON Schema of what `model` reads, with its dialect and `title` in front."""
    return {"$schema": DIALECT, "title": title, **model.model_json_schema()}


def publish(document: dict[str, Any]) -> None:
    """Print a document, or write it to the file that the command line names."""
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
