import LimiterCore

extension Script {
    /// Answers what was used in the periods of calendar quotas, and takes back what a replica remembers of them.
    ///
    /// Keys: the counters. Arguments: the clock and 0, packed; for each counter, packed: the number of the latest period that is
    /// remembered (-1: nothing is), its generation, how many milliseconds it must be kept, and the units of it and of the periods before it.
    /// Merges as `PeriodCounts` does, and writes only what that changes.
    /// Answers `[now in µs]`, and for each counter the number of its latest period (-1: nothing is known), its generation, and the units.
    static let periodsText = #"""
        #!lua
        local call, pack, unpacked, sub = redis.call, struct.pack, struct.unpack, string.sub
        local max, most = math.max, 4503599627370496
        local now = unpacked('>dd', ARGV[1])
        \#(clock)
        local periods = \#(PeriodCounts.periods)
        local states = call('MGET', unpack(KEYS))
        local out, at = {now}, 1

        for i = 1, #KEYS do
          local number, generation, units = -1, 0, {}
          for j = 1, periods do units[j] = 0 end
          local state = states[i]
          if state and #state >= 32 and #state <= 8 * (periods + 2) and #state % 8 == 0 then
            number, units[1], units[2], generation = unpacked('>dddd', state)
            for j = 3, #state / 8 - 2 do units[j] = unpacked('>d', state, 8 * j + 9) end
            local is_sound = number >= 0 and number < most and number % 1 == 0
              and generation >= 0 and generation < most and generation % 1 == 0
            for j = 1, periods do is_sound = is_sound and units[j] >= 0 and units[j] < most and units[j] % 1 == 0 end
            if not is_sound then
              number, generation = -1, 0
              for j = 1, periods do units[j] = 0 end
            end
          end

          local known, known_generation, life
          known, known_generation, life, at = unpacked('>ddd', ARGV[2], at)
          local changed = false
          if known >= 0 then
            local latest = max(number, known)
            local merged = {}
            for j = 1, periods do merged[j] = 0 end
            local merged_generation = number == latest and generation or 0
            for j = 1, periods do
              local age = latest - number + j
              if number >= 0 and age <= periods then merged[age] = units[j] end
            end
            for j = 1, periods do
              local remembered
              remembered, at = unpacked('>d', ARGV[2], at)
              local age = latest - known + j
              if age > 1 and age <= periods then
                if remembered > merged[age] then merged[age], changed = remembered, true end
              elseif age == 1 then
                if number < known or known_generation > generation then
                  merged[1], merged_generation, changed = remembered, known_generation, true
                elseif known_generation == generation and remembered > merged[1] then
                  merged[1], changed = remembered, true
                end
              end
            end
            if changed then
              local packed = pack('>dddd', latest, merged[1], merged[2], merged_generation)
              for j = 3, periods do packed = packed .. pack('>d', merged[j]) end
              if known >= number then
                call('SET', KEYS[i], packed, 'PX', life)
              else
                call('SET', KEYS[i], packed, 'KEEPTTL')
              end
              number, generation, units = latest, merged_generation, merged
            end
          else
            at = at + 8 * periods
          end
          out[#out + 1], out[#out + 2] = number, generation
          for j = 1, periods do out[#out + 1] = units[j] end
        end
        return out
        """#
}
