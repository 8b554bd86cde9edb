import LimiterCore

extension Script {
    // What decisions and leases have in common, as text: a function would cost each limit of each decision a call.
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

        -- The same of a bucket that replicas hold leases of: those of an epoch are held until the end of the next one,
        -- and its tokens and what is held never exceed its limit together.
        local function leased_refilled(p, c, r, head, limit, refill, period, tick, epoch, held, held_before)
          local first, second = ceil((epoch + 1) * \#(leaseEpoch) / tick), ceil((epoch + 2) * \#(leaseEpoch) / tick)
          p, c, r = refilled(p, c, r, head < first and head or first, limit - held - held_before, refill, period)
          p, c, r = refilled(p, c, r, head < second and head or second, limit - held, refill, period)
          return refilled(p, c, r, head, limit, refill, period)
        end

        local function bucket_packed(p, c, r, g, period, epoch, held, held_before)
          if held + held_before == 0 then return pack('>ddddd', p, c, r, g, period) end
          return pack('>dddddddd', p, c, r, g, period, epoch, held, held_before)
        end

        -- A bucket is kept until it is full and what replicas hold has come back, and a millisecond more, for Redis counts from the
        -- one that has begun; once it was reset, until every older state that somebody remembers would be.
        local function bucket_life(c, r, g, limit, refill, period, tick, epoch, held, held_before)
          local life = (ceil(((limit - c) * period - r) / refill) + 1) * tick / 1000
          if g > 0 then life = max(life, g + (2 * limit * period / refill + 1) * tick / 1000 - now / 1000) end
          if held + held_before > 0 then
            local free = (epoch + 2) * \#(leaseEpoch) + ceil((held + held_before) * period / refill) * tick
            life = max(life, (free - now) / 1000)
          end
          if life > 1e14 then life = 1e14 end
          return ceil(life) + 1
        end
        """#

    /// Makes `p, c, r, g` a window's `state` at `head`.
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
        """#

    /// Merges a window's `p, c, r, g` with what the call carries. Generations do not matter where both windows that count began after
    /// the later reset.
    static let windowCarried = #"""
        local is_past = max(g, cg) * 1000 < (max(p, cp) - 1) * window
        if cp >= 0 and (cg >= g or is_past) then
          if cg > g and not is_past then
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

    /// How many periods beyond its own a calendar quota's key lives, by its flags.
    static let calendarKept = "(flags >= 8 and \(CounterRule.keptPeriods) or 1)"

    static let calendarFunctions = #"""
        -- A calendar quota's counts `periods` periods later: of the one before, and of those before that, packed.
        local function calendar_moved(c, r, past, periods)
          if periods > \#(CounterRule.keptPeriods) then return 0, '' end
          if c == 0 and r == 0 and past == '' then return 0, '' end
          past = pack('>d', r) .. past
          if periods > 1 then
            past = rep(pack('>d', 0), periods - 2) .. pack('>d', c) .. past
            c = 0
          end
          return c, sub(past, 1, \#(8 * (CounterRule.keptPeriods - 1)))
        end
        """#

    /// Makes `p, c, r, g` and `past` a calendar quota's `state` at the period `head`.
    static let calendarState = #"""
        p, c, r, g, past = head, 0, 0, 0, ''
        if state and #state >= 32 and #state <= \#(32 + 8 * (CounterRule.keptPeriods - 1)) and #state % 8 == 0 then
          local sp, sc, sr, sg = unpacked('>dddd', state)
          if sp >= 0 and sp <= head + \#(CounterRule.mostPeriodsAhead) and sc >= 0 and sc < most and sr >= 0 and sr < most
            and sg >= 0 and sg < most and sp % 1 == 0 and sc % 1 == 0 and sr % 1 == 0 and sg % 1 == 0 then
            p, c, r, g, past = sp, sc, sr, sg, sub(state, 33)
            if p < head then
              r, past = calendar_moved(c, r, past, head - p)
              p, c = head, 0
            end
          end
        end
        """#

    /// Merges a calendar quota's `p, c, r, g` and `past` with what the call carries.
    static let calendarCarried = #"""
        local is_past = max(g, cg) * 1000 < tick * 1000000 + (max(p, cp) - 1 - refill) * window
        if cp >= 0 and (cg >= g or is_past) then
          local later = max(cp, head)
          if later > p then
            r, past = calendar_moved(c, r, past, later - p)
            p, c = later, 0
          end
          if cg > g and not is_past then
            g = cg
            if cp < head then
              p, c, r = head, 0, cp == head - 1 and cc or 0
            else
              p, c, r = cp, cc, cr
            end
          else
            if cp < p then cc, cr = 0, cp == p - 1 and cc or 0 end
            if cc > c then c = cc end
            if cr > r then r = cr end
          end
        end
        """#

    /// Makes `p, c, r, g` a bucket's `state` at `head`; `epoch`, `held` and `held_before` what replicas may hold of it.
    static let bucketState = #"""
        p, c, r, g = head, limit, 0, 0
        epoch, held, held_before = 0, 0, 0
        if state and (#state == 40 or #state == 64) then
          local sp, sc, sr, sg, stored_period = unpacked('>ddddd', state)
          if sp >= 0 and sp * tick < most and sc > -most and sc < most and sr >= 0 and sr < most and sg >= 0 and sg < most
            and sp % 1 == 0 and sc % 1 == 0 and sr % 1 == 0 and sg % 1 == 0 then
            if stored_period ~= period then sr = 0 end
            if sc < -limit then sc = -limit end
            g = sg
            if #state == 64 then
              epoch, held, held_before = unpacked('>ddd', state, 41)
              held = held > 0 and held < limit and held or held > 0 and limit or 0
              held_before = held_before > 0 and (held_before < limit - held and held_before or limit - held) or 0
              p, c, r = leased_refilled(sp, sc, sr, head, limit, refill, period, tick, epoch, held, held_before)
            else
              p, c, r = refilled(sp, sc, sr, head, limit, refill, period)
            end
          end
        end
        """#

    /// Merges a bucket's `p, c, r, g` with what the call carries. Generations do not matter where one that was deep in debt before the
    /// later reset would be full again.
    static let bucketCarried = #"""
        local is_past = max(g, cg) * 1000 + (floor(2 * limit * period / refill) + 1) * tick <= max(p, cp) * tick
        if cp >= 0 and (cg >= g or is_past) then
          if cc < -limit then cc = -limit end
          if cg > g and not is_past then
            p, c, r = refilled(cp, cc, cr, head, limit, refill, period)
            g = cg
          else
            if cp > p then p, c, r = refilled(p, c, r, cp, limit, refill, period) end
            cp, cc, cr = refilled(cp, cc, cr, p, limit, refill, period)
            if cc < c or cc == c and cr < r then c, r = cc, cr end
            g = max(g, cg)
          end
        end
        """#

    /// Brings what is held of a bucket to the epoch of `p`, and the tokens within what is left.
    static let bucketHeld = #"""
        if held + held_before > 0 then
          local now_epoch = floor(p * tick / \#(leaseEpoch))
          if now_epoch > epoch then
            epoch, held, held_before = now_epoch, 0, now_epoch == epoch + 1 and held or 0
          end
          if c >= limit - held - held_before then c, r = limit - held - held_before, 0 end
        end
        """#

    /// Microseconds. A lease of a bucket's tokens ends within one, and counts as held until the end of the next.
    static let leaseEpoch = 400_000
}
