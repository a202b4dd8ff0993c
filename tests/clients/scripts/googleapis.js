// googleapis' discoverAPI against the service at the given URL; prints what it gets.
"use strict";
const { google } = require("googleapis");

const url = process.argv[2];
const rude = "You are a stupid idiot.";
const emoji = "Well done 👍👍. You are a stupid idiot.";

async function refusal(call) {
  try {
    await call;
    return null;
  } catch (error) {
    return { message: error.message, status: error.status, data: error.response.data };
  }
}

async function main() {
  const client = await google.discoverAPI(`${url}/$discovery/rest?version=v1alpha1`);
  const analyze = (requestBody, more) => client.comments.analyze({ key: "any-key", requestBody, ...more });
  const request = (text, attributes, more) => ({
    comment: { text },
    requestedAttributes: Object.fromEntries(attributes.map((name) => [name, {}])),
    ...more,
  });

  const analyzed = await analyze(request(rude, ["TOXICITY", "THREAT@2"], { clientToken: "c1" }));
  const spanned = await analyze(request(emoji, ["TOXICITY"], { spanAnnotations: true }));
  const spans = spanned.data.attributeScores.TOXICITY.spanScores;
  const partial = await analyze(request(rude, ["TOXICITY"]), { fields: "languages", prettyPrint: false });
  const suggested = await client.comments.suggestscore({
    key: "any-key",
    requestBody: {
      comment: { text: rude },
      attributeScores: { TOXICITY: { summaryScore: { value: 0, type: "PROBABILITY" } } },
      clientToken: "googleapis-1",
      communityId: "news",
    },
  });
  return {
    analyze: analyzed.data,
    spans: spans.map(({ begin, end, score }) => [emoji.slice(begin, end), score.value]),
    partial: partial.data,
    suggestscore: suggested.data,
    refusals: [
      await refusal(analyze(request("", ["TOXICITY"]))),
      await refusal(analyze(request(rude, ["SPAM"]))),
    ],
  };
}

main().then((found) => process.stdout.write(JSON.stringify(found)));
