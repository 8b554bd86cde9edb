-- For wrk: requests of tenants drawn from COUNT names, the FIRST of them and those after it; every connection rests MILLISECONDS
-- before each of its requests.
--     wrk -s tenants.lua ... URL -- FIRST COUNT MILLISECONDS
local first, count, rest

function init(arguments)
  first, count, rest = tonumber(arguments[1]), tonumber(arguments[2]), tonumber(arguments[3])
  math.randomseed(first)
end

function request()
  return wrk.format("GET", "/", { ["X-Tenant"] = "tenant-" .. first + math.random(0, count - 1) })
end

function delay()
  return rest
end
