// perspective-api-client, which knows the API's own host only; prints what it gets.
"use strict";
const Perspective = require("perspective-api-client");

const client = new Perspective({ apiKey: "any-key" });
const rude = "You are a stupid idiot.";

async function refusal(call) {
  try {
    await call;
    return null;
  } catch (error) {
    return { name: error.name, message: error.message, status: error.response && error.response.status };
  }
}

async function main() {
  return {
    plain: await client.analyze(rude),
    six: await client.analyze(`<b>${rude}</b>`, {
      attributes: ["toxicity", "severe_toxicity", "identity_attack", "insult", "profanity", "threat"],
    }),
    object: await client.analyze({
      comment: { text: rude },
      requestedAttributes: { TOXICITY: { scoreThreshold: 1 } },
      clientToken: "c1",
      languages: ["en"],
    }),
    longest: await client.analyze("fair ".repeat(4096)),
    refusals: [
      await refusal(client.analyze(rude, { attributes: ["SPAM"] })),
      await refusal(client.analyze("", { validate: false })),
      await refusal(client.analyze("fair ".repeat(4097), { validate: false })),
    ],
  };
}

main().then((found) => process.stdout.write(JSON.stringify(found)));
