"""Validates messages against JSON Schemas, with jsonschema.

Usage: contract-validate.py SCHEMAS MESSAGES

SCHEMAS holds a schema for each message, `oximetry.json`. MESSAGES has one JSON object a line: `topic`, `message` (the name
of its schema) and `payload`. Says what is wrong, and how many messages were validated.
"""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator


def main(schemas: Path, messages: Path) -> int:
    validators = {}
    for path in sorted(schemas.glob("*.json")):
        schema = json.loads(path.read_text())
        Draft202012Validator.check_schema(schema)
        validators[path.stem] = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    wrong = count = 0
    for line in messages.read_text().splitlines():
        said = json.loads(line)
        count += 1
        for error in validators[said["message"]].iter_errors(said["payload"]):
            wrong += 1
            print(f"{said['topic']}: {error.json_path}: {error.message[:300]}\n  {line[:2000]}")
    print(f"{count} messages, {wrong} errors")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
