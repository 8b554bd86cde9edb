struct CounterPlace { var hash: KeyHash; var shard: Int }
