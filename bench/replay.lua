-- SPDX-License-Identifier: Apache-2.0
-- Sends whole requests, made before and taken at random, and reports in one line at the end.
-- BENCH_REQUESTS names their file; a NUL stands behind each. BENCH_ORDER=each sends them in turn,
-- once with as many requests as there are connections in flight.
local requests = {}
local next_one = 0
local in_turn = os.getenv("BENCH_ORDER") == "each"

function init()
    local file = assert(io.open(os.getenv("BENCH_REQUESTS"), "rb"))
    for one in file:read("*a"):gmatch("[^%z]+") do
        requests[#requests + 1] = one
    end
    file:close()
    math.randomseed(os.time())
end

function request()
    if not in_turn then
        return requests[math.random(#requests)]
    end
    next_one = next_one % #requests + 1
    return requests[next_one]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nBENCH {"requests":%d,"us":%d,"refused":%d,"broken":%d,"p99_us":%d}\n',
        summary.requests, summary.duration, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(99)))
end
