package job

import (
	"context"
	"fmt"
	"time"
)

// chore is something done now and then.
type chore struct {
	name  string
	every time.Duration
	do    func(context.Context) error
}

// choreTick is how often a node looks whether a rare chore is due.
const choreTick = time.Minute

// Every has f called once per period, by one of all nodes, also across restarts.
// The name is its identity in the database. A failure is logged, and the next
// period is the next try. Call it before Run.
func (q *Queue) Every(name string, period time.Duration, f func(context.Context) error) {
	q.chores = append(q.chores, chore{name: name, every: period, do: f})
}

func (q *Queue) runChore(ctx context.Context, c chore) {
	tick := time.NewTicker(min(c.every, choreTick))
	defer tick.Stop()
	for {
		if err := q.doChore(ctx, c); err != nil && ctx.Err() == nil {
			q.log.ErrorContext(ctx, "a chore failed", "chore", c.name, "again_in", c.every, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (q *Queue) doChore(ctx context.Context, c chore) (err error) {
	now := time.Now()
	mine, err := q.store.ClaimChore(ctx, c.name, now, now.Add(c.every))
	if err != nil || !mine {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panicked: %v", p)
		}
	}()
	return c.do(ctx)
}
