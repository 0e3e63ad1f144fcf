package recording

import (
	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

// decision is the table of GET recording, in the order in which it is checked:
// the first row that applies is the answer. What the gateway refuses, and an id
// that is no number, never gets here.
var decision = []struct {
	applies func(Facts, tenant.UserNum) bool
	answer  error
}{
	{func(f Facts, _ tenant.UserNum) bool { return !f.Found }, meeting.ErrNotFound},
	{func(f Facts, u tenant.UserNum) bool { return u != 0 && u != f.Owner }, ErrNotOwner},
	{func(f Facts, _ tenant.UserNum) bool { return !f.TenantRecords || f.InitialType == meeting.OneToOne }, ErrSwitchedOff},
	{func(f Facts, _ tenant.UserNum) bool { return f.Status != meeting.Ended }, ErrNotEnded},
	{func(f Facts, _ tenant.UserNum) bool { return f.State == Processing || f.State == Running }, ErrProcessing},
	{func(f Facts, _ tenant.UserNum) bool { return f.State == "" || f.State == Empty || f.State == Deleted }, ErrNotFound},
	{func(f Facts, _ tenant.UserNum) bool { return f.State != Ready }, ErrProduction},
}

// Decide answers GET recording: nil when the recording may be handed out, else
// the rule that refuses. u is zero for an app in its own name, which may have any of its tenant.
func Decide(f Facts, u tenant.UserNum) error {
	for _, d := range decision {
		if d.applies(f, u) {
			return d.answer
		}
	}
	return nil
}
