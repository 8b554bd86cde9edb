extension Script {
    // What decisions and merges have in common, as text: a function would cost each limit of each decision a call.
    // The pieces name the locals of both.

    /// Makes `clock` Redis's own time, where the call brings none, and `now` the time to decide at: that of the replica
    /// goes on where Redis's fell more than a second behind it.
    static let clock = #"""
        local clock = now
        if now < 0 then
          local time = call('TIME')
          clock = time[1] * 1000000 + time[2]
          now = clock < -now - 1000000 and -now or clock
        end
        """#

    static let bucketFunctions = #"""
        -- A bucket's state made current at a tick.
        local function refilled(p, c, r, tick, limit, refill, period)
          if c < -limit then c = -limit end
          if r >= period then r = 0 end
          if tick > p then
            local elapsed = tick - p
            local periods = floor(elapsed / period)
            p = tick
            if periods > floor((limit - c) / refill) then return p, limit, 0 end
            local gained = (elapsed - periods * period) * refill + r
            local whole = floor(gained / period)
            c = c + periods * refill + whole
            r = gained - whole * period
          end
          if c >= limit then return p, limit, 0 end
          return p, c, r
        end

        -- A bucket is kept until it is full; once it was reset, until every older state that somebody remembers would be.
        local function bucket_life(c, r, g, limit, refill, period, tick)
          local life = (ceil(((limit - c) * period - r) / refill) + 1) * tick / 1000
          if g > 0 then life = max(life, g + (2 * limit * period / refill + 1) * tick / 1000 - now / 1000) end
          if life > 1e14 then life = 1e14 end
          return ceil(life)
        end
        """#

    /// Makes `p, c, r, g` a window's `state` at `head`, merged with what the call carries.
    static let windowState = #"""
        p, c, r, g = head, 0, 0, 0
        if state and #state == 32 then
          local sp, sc, sr, sg = unpacked('>dddd', state)
          if sp >= 0 and sp * window < most and sc >= 0 and sc < most and sr >= 0 and sr < most and sg >= 0 and sg < most
            and sp % 1 == 0 and sc % 1 == 0 and sr % 1 == 0 and sg % 1 == 0 then
            if sp < head then
              r = sp == head - 1 and sc or 0
            else
              p, c, r = sp, sc, sr
            end
            g = sg
          end
        end
        if cp >= 0 and cg >= g then
          if cg > g then
            g = cg
            if cp < head then
              p, c, r = head, 0, cp == head - 1 and cc or 0
            else
              p, c, r = cp, cc, cr
            end
          else
            if cp > p then
              p, c, r = cp, 0, p == cp - 1 and c or 0
            elseif cp < p then
              cc, cr = 0, cp == p - 1 and cc or 0
            end
            if cc > c then c = cc end
            if cr > r then r = cr end
          end
        end
        """#

    /// Makes `p, c, r, g` a bucket's `state` at `head`, merged with what the call carries.
    static let bucketState = #"""
        p, c, r, g = head, limit, 0, 0
        if state and #state == 40 then
          local sp, sc, sr, sg, stored_period = unpacked('>ddddd', state)
          if sp >= 0 and sp * tick < most and sc > -most and sc < most and sr >= 0 and sr < most and sg >= 0 and sg < most
            and sp % 1 == 0 and sc % 1 == 0 and sr % 1 == 0 and sg % 1 == 0 then
            if stored_period ~= period then sr = 0 end
            p, c, r = refilled(sp, sc, sr, head, limit, refill, period)
            g = sg
          end
        end
        if cp >= 0 and cg >= g then
          if cg > g then
            p, c, r = refilled(cp, cc, cr, head, limit, refill, period)
            g = cg
          else
            if cp > p then p, c, r = refilled(p, c, r, cp, limit, refill, period) end
            cp, cc, cr = refilled(cp, cc, cr, p, limit, refill, period)
            if cc < c or cc == c and cr < r then c, r = cc, cr end
          end
        end
        """#
}
