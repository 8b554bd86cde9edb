extension Script {
    /// Adds what one replica spent by itself to a counter; sending it twice changes nothing.
    ///
    /// Keys: the counter; a hash, replica -> packed window, total, previous total and time, of what came from whom.
    /// Arguments: the clock and 0, packed; the replica; the rule and the carried state as `DecisionFormat` packs them;
    /// packed window number (0 for a bucket), total, settled, previous total, previous settled.
    ///
    /// Of a total, what is recorded or known to be settled counts already, whichever is more. What was spent in the
    /// window before goes to the rest, what is older is dropped. A bucket owes at most its capacity.
    /// Answers `[now in µs, position, count, rest, generation]`, the state afterwards.
    static let mergeText = #"""
        #!lua
        local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
        local call, pack, unpacked = redis.call, struct.pack, struct.unpack
        local most = 4503599627370496
        local now = unpacked('>dd', ARGV[1])
        \#(clock)
        local flags, limit, refill, period, tick, cp, cc, cr, cg = unpacked('>ddddddddd', ARGV[3])
        local position, total, settled, previous_total, previous_settled = unpacked('>ddddd', ARGV[4])
        local is_window = flags % 2 == 0

        local rw, rt, rp = position, 0, 0
        local record = call('HGET', KEYS[2], ARGV[2])
        if record and #record == 32 then rw, rt, rp = unpacked('>ddd', record) end
        -- What came from this replica for a window.
        local function known(window)
          if window == rw then return rt end
          if window == rw - 1 then return rp end
          return 0
        end
        local spent = max(0, total - max(known(position), settled))
        local spent_before = max(0, previous_total - max(known(position - 1), previous_settled))

        \#(bucketFunctions)

        local state = call('MGET', KEYS[1])[1]
        local p, c, r, g, life
        if is_window then
          local window = period * tick
          local top = floor(9007199254740992 / period)
          local head = floor(now / window)
          \#(windowState)
          if p < position then p, c, r = position, 0, p == position - 1 and c or 0 end
          if p == position then
            c, r = c + spent, r + spent_before
          elseif p == position + 1 then
            r = r + spent
          end
          c, r = min(c, most - 1), min(r, top)
          life = ceil((p * window + 2 * window - max(now, p * window)) / 1000)
          call('SET', KEYS[1], pack('>dddd', p, c, r, g), 'PX', life)
        else
          local head = floor(now / tick)
          \#(bucketState)
          c = max(-limit, c - spent)
          life = bucket_life(c, r, g, limit, refill, period, tick)
          call('SET', KEYS[1], pack('>ddddd', p, c, r, g, period), 'PX', life)
        end

        -- The record outlives the state that it explains, and an hour for whoever sends again late.
        local kept = max(life, 3600000)
        if rw > position then
          if rw == position + 1 then rp = max(rp, total) end
        else
          rp = max(known(position - 1), previous_settled, previous_total)
          rt = max(known(position), settled, total)
          rw = position
        end
        call('HSET', KEYS[2], ARGV[2], pack('>dddd', rw, rt, rp, now))
        if call('HLEN', KEYS[2]) > 64 then
          local records = call('HGETALL', KEYS[2])
          for i = 1, #records, 2 do
            local at = #records[i + 1] == 32 and unpacked('>d', records[i + 1], 25) or 0
            if at < now - kept * 1000 then call('HDEL', KEYS[2], records[i]) end
          end
        end
        call('PEXPIRE', KEYS[2], kept)
        return {now, p, c, r, g}
        """#
}
