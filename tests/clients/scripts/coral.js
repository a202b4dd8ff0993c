// Sends recorded requests with Coral's own settings of its HTTP clients; prints what comes back.
// Sources: services/perspective/perspective.ts, services/fetch/axios.ts and services/fetch/fetch.ts.
"use strict";
const { createHmac } = require("crypto");
const fs = require("fs");
const http = require("http");
const path = require("path");
const axios = require("axios");

const [url, file, ...secrets] = process.argv.slice(2);
const recorded = JSON.parse(fs.readFileSync(file, "utf-8"));
const httpAgent = new http.Agent({ keepAlive: true });

async function ask({ endpoint, operation, key, userAgent, timeout, body }) {
  const place = new URL(url + endpoint);
  place.pathname = path.join(place.pathname, `/${operation}`);
  place.searchParams.set("key", key);
  try {
    const response = await axios.request({
      method: "POST",
      url: place.toString(),
      headers: { "User-Agent": userAgent, "Content-Type": "application/json" },
      data: JSON.stringify(body),
      timeout,
      httpAgent,
      maxContentLength: 2e6,
      maxRedirects: 0,
    });
    return { status: response.status, data: response.data };
  } catch (error) {
    return { status: error.response ? error.response.status : 0, error: error.message };
  }
}

async function moderate({ path: route, userAgent, timeout, body }, signedWith) {
  const raw = JSON.stringify(body, null, 2);
  const signatures = signedWith.map((secret) => `sha256=${createHmac("sha256", secret).update(raw).digest("hex")}`);
  const response = await fetch(url + route, {
    method: "POST",
    headers: {
      "User-Agent": userAgent,
      "Content-Type": "application/json",
      "X-Coral-Signature": signatures.join(","),
    },
    body: raw,
    redirect: "manual",
    signal: AbortSignal.timeout(timeout),
  });
  return { status: response.status, text: await response.text() };
}

async function main() {
  const found = { perspective: {}, phase: {} };
  for (const [name, request] of Object.entries(recorded.perspective)) found.perspective[name] = await ask(request);
  for (const [name, request] of Object.entries(recorded.phase)) found.phase[name] = await moderate(request, secrets);
  found.unknownSecret = await moderate(Object.values(recorded.phase)[0], ["not-a-secret-of-ours"]);
  httpAgent.destroy();
  return found;
}

main().then((found) => process.stdout.write(JSON.stringify(found)));
