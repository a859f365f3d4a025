// What a code indexer asks of the embedding server with OpenAI's client: base URL first, then the texts as JSON.
// Prints one JSON object: the vectors as the editors read them, as the client reads them by itself, and two errors.
import OpenAI from "openai";

const [baseURL, texts] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "any", maxRetries: 0 });
const input = JSON.parse(texts);
const ask = (fields) => client.embeddings.create({ input, model: "model", ...fields });
const told = async (call) => {
  try {
    return await call();
  } catch (error) {
    return { threw: error.constructor.name, status: error.status, code: error.code, said: error.message };
  }
};

// The editors ask for base64 by name, so that the client leaves it to them to decode.
const packed = await ask({ encoding_format: "base64" });
const decoded = packed.data.map(({ embedding }) => {
  const bytes = Buffer.from(embedding, "base64");
  return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)];
});
const byItself = (await ask({})).data.map(({ embedding }) => embedding);
const floats = (await ask({ encoding_format: "float" })).data.map(({ embedding }) => embedding);
process.stdout.write(
  JSON.stringify({
    decoded,
    byItself,
    floats,
    usage: packed.usage,
    dimensions: await told(() => ask({ dimensions: 256 })),
    model: await told(() => ask({ model: "text-embedding-3-small" })),
  }),
);
