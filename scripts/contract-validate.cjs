// Validates messages against JSON Schemas, with ajv; then the AsyncAPI document against the schema of such documents, and
// the messages against the payloads in it.
//
// Usage: NODE_PATH=.../node_modules node contract-validate.cjs SCHEMAS MESSAGES ASYNCAPI
//
// SCHEMAS and MESSAGES as for contract-validate.py. Says what is wrong, and how many messages were validated.

const { readFileSync, readdirSync } = require("node:fs");
const { basename, join } = require("node:path");
const Ajv7 = require("ajv").default;
const Ajv2020 = require("ajv/dist/2020").default;
const addFormats = require("ajv-formats").default;

const [schemas, messages, asyncapi] = process.argv.slice(2);
const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const said = readFileSync(messages, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
let wrong = 0;

function check(valid, what, value) {
  if (valid(value)) return;
  wrong += 1;
  const errors = valid.errors.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  console.log(`${what}: ${errors.slice(0, 12).join("; ")}\n  ${JSON.stringify(value).slice(0, 2000)}`);
}

// Unknown keywords are refused; that a key is required where it is not described, or a type left to a part, is not.
const ajv = addFormats(new Ajv2020({ allErrors: false, strict: true, strictRequired: false, strictTypes: false }));
const strict = new Map();
for (const file of readdirSync(schemas)) {
  strict.set(basename(file, ".json"), ajv.compile(json(join(schemas, file))));
}
for (const { topic, message, payload } of said) check(strict.get(message), topic, payload);

const document = json(asyncapi);
const specs = require(`@asyncapi/specs/schemas/${document.asyncapi}.json`);
// The schema of the schemas is among them.
const meta = addFormats(new Ajv7({ strict: false, meta: false, validateSchema: false }));
check(meta.compile(specs), "the AsyncAPI document", document);

const { components } = document;
const tool = addFormats(new Ajv7({ strict: false })).addSchema({ components }, "asyncapi.json");
for (const { topic, message, payload } of said) {
  const at = `asyncapi.json#/components/messages/${message}/payload`;
  check(tool.getSchema(at), `${topic}, by the AsyncAPI document`, payload);
}

console.log(`${said.length} messages, ${wrong} errors`);
process.exit(wrong ? 1 : 0);
