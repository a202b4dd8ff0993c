// A preload (node --require): what a client sends to the Perspective API's host goes to CLIENTS_URL instead.
"use strict";
const http = require("http");
const https = require("https");

const target = new URL(process.env.CLIENTS_URL);
const refused = (host) => new Error(`the test knows no host ${host}`);

https.request = function request(options, answered) {
  const host = options.hostname || options.host;
  if (host !== "commentanalyzer.googleapis.com") throw refused(host);
  const { agent, agents, nativeProtocols, ...rest } = options; // agents are those of TLS
  return http.request(
    { ...rest, protocol: "http:", host: target.hostname, hostname: target.hostname, port: target.port },
    answered,
  );
};
