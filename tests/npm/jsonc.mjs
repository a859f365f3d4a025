// How the editors read files: one text a line, as a JSON string, in; its value and the number of errors, as JSON, out.
// The editors take the byte order mark off when they decode a file.
import { createInterface } from "node:readline";
import { parse } from "jsonc-parser";

// JSON has no infinity, but a number that reads as one.
const infinite = (_, value) =>
  value === Infinity || value === -Infinity ? JSON.rawJSON(value > 0 ? "1e999" : "-1e999") : value;

for await (const line of createInterface({ input: process.stdin })) {
  const errors = [];
  const value = parse(JSON.parse(line).replace(/^\uFEFF/, ""), errors, { allowTrailingComma: true });
  process.stdout.write(`${JSON.stringify({ errors: errors.length, value }, infinite)}\n`);
}
