package store

// Queries are those that requests ask, or that are asked every few seconds.
var Queries = map[string]string{
	"facts":               factsQuery,
	"glance":              glanceQuery,
	"app":                 appByIDQuery,
	"last issue":          lastIssueQuery,
	"token":               tokenRowQuery,
	"active meeting":      activeMeetingQuery,
	"unended meetings":    unendedQuery,
	"meetings by number":  byNoQuery,
	"open parts":          openPartsQuery,
	"recordings in state": inStateQuery,
	"home: meetings":      meetingLinesQuery,
	"home: reserves":      waitingLinesQuery,
	"apps with due":       appsWithDueQuery,
	"count held":          countHeldQuery,
	"claim":               claimQuery,
	"next due":            nextDueQuery,
}
