// What a code indexer asks of the database, call for call, with the client package named first and the URL second.
// Prints one JSON object: the answer to each call, or the status and words of the error that it threw.
import { createHash } from "node:crypto";

const [packageName, url, apiKey] = process.argv.slice(2);
const { QdrantClient } = await import(packageName);
const client = new QdrantClient({ url, ...(apiKey ? { apiKey } : {}) });

const size = 768;
const name = `ws-${createHash("sha256").update("/home/me/workspace").digest("hex").slice(0, 16)}`;
const uuid = (n) => `00000000-0000-5000-8000-${String(n).padStart(12, "0")}`;
const path = (n) => `src/part${n % 6}/deep/er/and/down/seven${n % 2}/file${n}.ts`;
const segments = (file) => Object.fromEntries(file.split("/").map((segment, at) => [String(at), segment]));
// Points on a half circle, a degree apart: the neighbours of each are known.
const vector = (n) => Array.from({ length: size }, (_, at) => [Math.cos, Math.sin][at]?.((n * Math.PI) / 180) ?? 0);
const points = Array.from({ length: 60 }, (_, n) => ({
  id: uuid(n),
  vector: vector(n),
  payload: {
    filePath: path(n),
    codeChunk: `function block${n}() { return "ä\u{1F600}"; }`,
    startLine: n,
    endLine: n + 5,
    segmentHash: createHash("sha256").update(String(n)).digest("hex"),
    pathSegments: segments(path(n)),
  },
}));
const metadata = { id: uuid(999), vector: new Array(size).fill(0), payload: { type: "metadata", indexing_complete: false } };
const notMetadata = [{ key: "type", match: { value: "metadata" } }];
const below = (...folders) => folders.map((value, at) => ({ key: `pathSegments.${at}`, match: { value } }));
const search = (filter, score_threshold = 0.4, limit = 50) =>
  client.query(name, {
    query: vector(17),
    filter,
    score_threshold,
    limit,
    params: { hnsw_ef: 128, exact: false },
    with_payload: { include: ["filePath", "codeChunk", "startLine", "endLine", "pathSegments"] },
  });
const told = async (call) => {
  try {
    return await call();
  } catch (error) {
    return { threw: error.constructor.name, status: error.status, said: error.data?.status?.error };
  }
};

const answers = {};
const steps = {
  missing: () => client.getCollection(name),
  create: () =>
    client.createCollection(name, {
      vectors: { size, distance: "Cosine", on_disk: true },
      hnsw_config: { m: 64, ef_construct: 512, on_disk: true },
    }),
  createAgain: () => client.createCollection(name, { vectors: { size, distance: "Cosine" } }),
  index: async () => {
    const done = [];
    for (const field_name of ["type", "pathSegments.0", "pathSegments.1", "pathSegments.2", "pathSegments.3", "pathSegments.4"])
      done.push((await client.createPayloadIndex(name, { field_name, field_schema: "keyword" })).status);
    return done;
  },
  upsert: () => client.upsert(name, { points, wait: true }),
  upsertMetadata: () => client.upsert(name, { points: [metadata], wait: true }),
  markComplete: () =>
    client.upsert(name, { points: [{ ...metadata, payload: { ...metadata.payload, indexing_complete: true } }], wait: true }),
  retrieveMetadata: () => client.retrieve(name, { ids: [metadata.id] }),
  wrongDimension: () => client.upsert(name, { points: [{ id: uuid(1), vector: [1, 2, 3] }], wait: true }),
  info: () => client.getCollection(name),
  list: () => client.getCollections(),
  searchAll: () => search({ must_not: notMetadata }, -1, 100),
  searchNear: () => search({ must_not: notMetadata }, Math.cos((3.5 * Math.PI) / 180)),
  searchBelow: () => search({ must: below("src", "part5"), must_not: notMetadata }, -1),
  deleteFile: () => client.delete(name, { filter: { must: below(...path(17).split("/")) }, wait: true }),
  deleteFiles: () =>
    client.delete(name, {
      filter: { should: [18, 19].map((n) => ({ must: below(...path(n).split("/")) })) },
      wait: true,
    }),
  searchAfterDelete: () => search({ must_not: notMetadata }, Math.cos((3.5 * Math.PI) / 180)),
  clear: () => client.delete(name, { filter: { must: [] }, wait: true }),
  infoAfterClear: () => client.getCollection(name),
  drop: () => client.deleteCollection(name),
  dropAgain: () => client.deleteCollection(name),
};
for (const [step, call] of Object.entries(steps)) answers[step] = await told(call);
process.stdout.write(JSON.stringify({ name, answers }));
