-- Counts requests a tenant and minute in Redis, from nginx's access phase: a keep-alive socket, one EVALSHA a request,
-- no client library between.
local M = {}
local SECONDS = 60
local TEXT = [[
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count]]
local digest

local function send(socket, words)
  local parts = { "*" .. #words .. "\r\n" }
  for _, word in ipairs(words) do
    word = tostring(word)
    parts[#parts + 1] = "$" .. #word .. "\r\n" .. word .. "\r\n"
  end
  return socket:send(parts)
end

-- An integer or a bulk string; nil and the reason for an error.
local function receive(socket)
  local line, reason = socket:receive()
  if not line then return nil, reason end
  local value = line:sub(2)
  if line:byte() == 58 then return tonumber(value) end
  if line:byte() == 36 then
    local text = socket:receive(tonumber(value))
    socket:receive(2)
    return text
  end
  return nil, value
end

function M.enforce(limit, port)
  local socket = ngx.socket.tcp()
  socket:settimeouts(1000, 1000, 1000)
  if not socket:connect("127.0.0.1", port) then return end
  if not digest then
    send(socket, { "SCRIPT", "LOAD", TEXT })
    digest = receive(socket)
  end
  local second = ngx.time()
  local started = second - second % SECONDS
  send(socket, { "EVALSHA", digest, 1, "peer:" .. (ngx.var.http_x_tenant or "") .. ":" .. started, SECONDS })
  local count = receive(socket)
  socket:setkeepalive(10000, 100)
  if not count then return end
  local wait = started + SECONDS - second
  ngx.header["RateLimit-Policy"] = '"global";q=' .. limit .. ";w=" .. SECONDS
  ngx.header["RateLimit"] = '"global";r=' .. math.max(0, limit - count) .. ";t=" .. wait
  if count > limit then
    ngx.header["Retry-After"] = wait
    return ngx.exit(429)
  end
end

return M
