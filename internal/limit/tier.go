package limit

import "maps"

// Tier names a row of the contract's table of limits.
type Tier int

// The tiers, numbered as in contract gateway.md §7. Tier10 is 100 a second for
// paying tenants in the original; here every tenant has the lower number.
const (
	Unlimited Tier = 0
	Tier1     Tier = 1
	Tier2     Tier = 2
	Tier3     Tier = 3
	Tier4     Tier = 4
	Tier5     Tier = 5
	Tier6     Tier = 6
	Tier7     Tier = 7
	Tier8     Tier = 8
	Tier9     Tier = 9
	Tier10    Tier = 10
	Tier11    Tier = 11
	Tier21    Tier = 21
	Special   Tier = 100 // "special": the original publishes no number
)

// Rate is how many calls a tier allows in each of its windows; zero means no such window.
type Rate struct {
	PerSecond int
	PerMinute int
}

var published = map[Tier]Rate{
	Tier1:  {PerMinute: 10},
	Tier2:  {PerMinute: 20},
	Tier3:  {PerMinute: 100},
	Tier4:  {PerMinute: 1000, PerSecond: 50},
	Tier5:  {PerSecond: 1},
	Tier6:  {PerSecond: 5},
	Tier7:  {PerSecond: 10},
	Tier8:  {PerSecond: 20},
	Tier9:  {PerSecond: 50},
	Tier10: {PerSecond: 50},
	Tier11: {PerSecond: 100},
	Tier21: {PerSecond: 3},
	// Refusing what the original would have served breaks programs, so the
	// unpublished tier gets the most common published one.
	Special: {PerMinute: 1000, PerSecond: 50},
}

// Published returns the contract's table, free to be changed by the caller before it makes a limiter of it.
func Published() map[Tier]Rate { return maps.Clone(published) }
