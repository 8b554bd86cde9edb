import LimiterCore

extension Script {
    /// Decides the requests of one call, in their order, over all limits of a group; what it reads and answers is
    /// `DecisionFormat`'s to say.
    ///
    /// Reads everything, evaluates everything, then writes: Lua has no rollback. A key is written only if something is
    /// charged to it. Each step is `CounterRule`'s, integer for integer: every product stays below 2^53, up to which
    /// doubles are exact, and so do quotients rounded down or up.
    ///
    /// A state is packed as big-endian doubles: a window's number, count, rest and generation; a calendar period's the same, and
    /// the counts of the periods before its rest; or a bucket's position,
    /// tokens, remainder, generation and period, and while replicas may hold leases of it, their epoch, what is held since
    /// that, and since the one before. What does not look like that counts as absent. Where the clock is outside a calendar period,
    /// nothing is done, and the answer is the time alone.
    static let decisionText = #"""
        #!lua
        local floor, ceil, max = math.floor, math.ceil, math.max
        local call, keys, question = redis.call, KEYS, ARGV[1]
        local pack, unpacked, sub, rep = struct.pack, struct.unpack, string.sub, string.rep
        local most = 4503599627370496
        local n = #keys
        local now, operation = unpacked('>dd', question)
        \#(clock)

        \#(bucketFunctions)
        \#(calendarFunctions)

        -- Behind the limits, whose parts have 72 bytes each, the costs begin.
        local first_cost = 17 + 72 * n
        local requests = (#question - first_cost + 1) / (8 * n)
        local single = requests == 1
        local words = ceil(requests / 32)
        local states = call('MGET', unpack(keys))
        local out = n == 1 and {now, 0, 0, 0, 0, 0} or n == 2 and {now, 0, 0, 0, 0, 0, 0, 0, 0, 0}
          or {now, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
        -- Each limit's units that are free, what is to be written, and for how many milliseconds.
        local free, write, life, leases, pasts = {}, {}, {}, {}, {}
        local passes = true
        local z = words + 1

        for i = 1, n do
          local flags, limit, refill, period, tick, cp, cc, cr, cg = unpacked('>ddddddddd', question, 72 * i - 55)
          local state = states[i]
          local available
          local p, c, r, g
          local epoch, held, held_before
          local is_window = flags % 2 == 0
          local left, window, past
          if flags >= 4 then
            local head, start = refill, tick * 1000000
            window = period * 1000000
            if now < start or now >= start + window then return {now} end
            \#(calendarState)
            \#(calendarCarried)
            left = start + window - now
            available = limit - c
          elseif is_window then
            window = period * tick
            local head = floor(now / window)
            local top = floor(9007199254740992 / period)
            \#(windowState)
            \#(windowCarried)
            local start = p * window
            left = window
            if now > start then left = start + window - now end
            available = limit - c
            if r > 0 then
              if r > top then r = top end
              available = available - ceil(r * ceil(left / tick) / period)
            end
          else
            local head = floor(now / tick)
            \#(bucketState)
            \#(bucketCarried)
            \#(bucketHeld)
            available = c
          end
          out[z + 1], out[z + 2], out[z + 3], out[z + 4] = p, c, r, g
          z = z + 4

          if not single then
            free[i] = available
            if past then pasts[i] = past elseif not is_window then leases[i] = {epoch, held, held_before} end
          elseif operation == 0 then
            local cost = unpacked('>d', question, first_cost + 8 * (i - 1))
            if cost > available then
              if cost > 0 and flags % 4 < 2 then passes = false end
            elseif cost > 0 then
              if past then
                write[i] = pack('>dddd', p, c + cost, r, g) .. past
                life[i] = ceil((left + \#(calendarKept) * window) / 1000)
              elseif is_window then
                write[i] = pack('>dddd', p, c + cost, r, g)
                life[i] = ceil((left + window) / 1000)
              else
                write[i] = bucket_packed(p, c - cost, r, g, period, epoch, held, held_before)
                life[i] = bucket_life(c - cost, r, g, limit, refill, period, tick, epoch, held, held_before)
              end
            end
          elseif operation == 1 then
            local cost = unpacked('>d', question, first_cost + 8 * (i - 1))
            if cost > available and cost > 0 and flags % 4 < 2 then passes = false end
          else
            g = max(g + 1, floor(now / 1000))
            if past then
              write[i] = pack('>dddd', refill, 0, p == refill and r or 0, g) .. past
              life[i] = ceil((left + \#(calendarKept) * window) / 1000)
            elseif is_window then
              p = floor(now / window)
              write[i] = pack('>dddd', p, 0, 0, g)
              life[i] = ceil(((p + 2) * window - now) / 1000)
            else
              write[i] = pack('>ddddd', floor(now / tick), limit, 0, g, period)
              life[i] = bucket_life(limit, 0, g, limit, refill, period, tick, 0, 0, 0)
            end
          end
        end

        if single then
          if passes then
            out[2] = 1
            for i = 1, n do
              if write[i] then call('SET', keys[i], write[i], 'PX', life[i]) end
            end
          end
          return out
        end

        local spent, asked, shadow = {}, {}, {}
        for i = 1, n do
          spent[i] = 0
          shadow[i] = unpacked('>d', question, 72 * i - 55) % 4 >= 2
        end
        local word, bit, at, slot = 0, 1, first_cost, 2
        for j = 1, requests do
          passes = true
          for i = 1, n do
            local cost
            cost, at = unpacked('>d', question, at)
            asked[i] = cost
            if cost > free[i] and cost > 0 and not shadow[i] then passes = false end
          end
          if passes then
            word = word + bit
            if operation == 0 then
              for i = 1, n do
                local cost = asked[i]
                if cost > 0 and cost <= free[i] then
                  spent[i] = spent[i] + cost
                  free[i] = free[i] - cost
                end
              end
            end
          end
          bit = bit * 2
          if bit == 4294967296 then
            out[slot] = word
            word, bit, slot = 0, 1, slot + 1
          end
        end
        if bit > 1 then out[slot] = word end

        for i = 1, n do
          if spent[i] > 0 then
            local flags, limit, refill, period, tick = unpacked('>ddddd', question, 72 * i - 55)
            z = words + 4 * i - 2
            local p, c, r, g = out[z], out[z + 1], out[z + 2], out[z + 3]
            if flags >= 4 then
              local window = period * 1000000
              local left = tick * 1000000 + window - now
              call('SET', keys[i], pack('>dddd', p, c + spent[i], r, g) .. pasts[i],
                'PX', ceil((left + \#(calendarKept) * window) / 1000))
            elseif flags % 2 == 0 then
              local window = period * tick
              local left = (p + 1) * window - max(now, p * window)
              call('SET', keys[i], pack('>dddd', p, c + spent[i], r, g), 'PX', ceil((left + window) / 1000))
            else
              c = c - spent[i]
              call('SET', keys[i], bucket_packed(p, c, r, g, period, unpack(leases[i])),
                'PX', bucket_life(c, r, g, limit, refill, period, tick, unpack(leases[i])))
            end
          end
        end
        return out
        """#
}
