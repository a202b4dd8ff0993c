-- Posts the lines of the file that is named after "--", each connection one after the other, from its start.
local bodies, place = {}, 0

function init(args)
   for line in io.lines(args[1]) do
      bodies[#bodies + 1] = wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, line)
   end
end

function request()
   place = place % #bodies + 1
   return bodies[place]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format('\n{"requests": %d, "seconds": %.3f, "failed": %d, "p50": %.2f, "p95": %.2f, "p99": %.2f}\n',
      summary.requests, summary.duration / 1e6, errors.status + errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
