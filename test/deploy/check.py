"""Structure of config/deploy/, by what others wrote: prints a line for each check, and `N passed, N failed`.

Usage: check.py FOLDER SCHEMA_OF_COMPOSE PROMTOOL RULE_TESTS
"""

import contextlib
import io
import json
import pathlib
import subprocess
import sys

import compose_spec
import jsonschema
import kubernetes_validate
import yaml

folder, schema, promtool, rule_tests = (pathlib.Path(word) for word in sys.argv[1:5])
# the pod's ordinal as a label and preStop's sleep are stable since 1.32
oldest = 32
counts = {"passed": 0, "failed": 0}


def check(name, action):
    try:
        fault = action()
    except Exception as error:  # whatever a validator raises is a fault of the file
        fault = f"{type(error).__name__}: {getattr(error, 'message', error)}"
    counts["failed" if fault else "passed"] += 1
    print(f"FAILED: {name}\n{fault}" if fault else f"ok: {name}")


def kubernetes(document, version):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        kubernetes_validate.validate(document, version, strict=True)


def compose_documents():
    return yaml.safe_load((folder / "compose.yaml").read_text())


def compose_schema():
    document = compose_documents()
    # younger than the schema
    del document["name"]
    validator = jsonschema.Draft201909Validator(json.loads(schema.read_text()))
    faults = [f"{'.'.join(map(str, one.path))}: {one.message}" for one in validator.iter_errors(document)]
    return "\n".join(faults) or None


def compose_parser():
    # merged before: the parser takes no merge within a merge
    compose_spec.PyCompose.from_json(json.dumps(compose_documents())).validate()


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode != 0 else None


newest = int(kubernetes_validate.latest_version().split(".")[1])
files = sorted((folder / "kubernetes").glob("*.yaml"))
for file in files:
    if file.name == "kustomization.yaml":
        continue
    for document in yaml.safe_load_all(file.read_text()):
        name = f"{file.name}: {document['kind']} {document['metadata']['name']}"
        for minor in range(oldest, newest + 1):
            check(f"{name}, Kubernetes 1.{minor}", lambda: kubernetes(document, f"1.{minor}"))
check("compose.yaml by the schema of the specification", compose_schema)
check("compose.yaml by a parser of the specification", compose_parser)
check("promtool check rules", lambda: run(promtool, "check", "rules", folder / "alerts.yaml"))
check("promtool test rules", lambda: run(promtool, "test", "rules", rule_tests))
print(f"{counts['passed']} passed, {counts['failed']} failed")
sys.exit(1 if counts["failed"] else 0)
