package recorder

import (
	"context"
	"errors"
	"slices"
	"time"

	"huilu/internal/capture"
	"huilu/internal/sfu"
)

// watch is the watchdog: it compares what is published with what is being written, and mends.
func (r *Run) watch(now time.Time) {
	r.tellTrouble()
	published := r.ledger.published()
	for sid, t := range published {
		if r.flowing[sid] != nil || t.Track.Muted { // who is muted sends nothing, and is subscribed already
			delete(r.missing, sid)
			continue
		}
		r.miss(sid, now)
	}
	for sid := range r.missing {
		if _, ok := published[sid]; !ok {
			delete(r.missing, sid)
		}
	}
	r.closeIdle(now)
	if len(r.up) == 0 && !r.dialling && r.redial == "" {
		r.another("no connection")
	}
}

// tellTrouble writes into the server's log that the disk refuses, and that it does no more.
func (r *Run) tellTrouble() {
	switch err := r.session.Err(); {
	case err != nil && !r.troubled:
		r.log.Error("the disk does not take the recording: pictures are lost, sound is kept as long as memory lasts", "error", err)
		r.troubled = true
	case err == nil && r.troubled:
		r.log.Warn("the disk takes the recording again", "packets_lost", r.Stats().Dropped)
		r.troubled = false
	}
}

// miss looks after a published track of which nothing arrives: first on the links there are, then on a new one.
func (r *Run) miss(sid string, now time.Time) {
	m := r.missing[sid]
	if m == nil {
		m = &absence{since: now, wait: missingAfter}
		r.missing[sid] = m
	}
	if owner := r.owner(sid); owner == nil {
		for _, l := range slices.Backward(r.up) {
			if pub := l.find(sid); pub != nil && !alive(pub) {
				r.claim(l, pub)
				return
			}
		}
	}
	if now.Sub(m.since) < m.wait {
		return
	}
	m.since, m.wait = now, min(2*m.wait, maxPatience)
	if owner := r.owner(sid); owner != nil {
		delete(owner.owned, sid) // it had its chance
	}
	r.another("nothing arrives of " + sid)
}

// closeIdle ends links that carry nothing, except the newest.
func (r *Run) closeIdle(now time.Time) {
	if len(r.up) < 2 {
		return
	}
	last := r.up[len(r.up)-1]
	r.up = slices.DeleteFunc(r.up, func(l *link) bool {
		idle := l != last && len(l.owned) == 0 && now.Sub(l.born) > idleAfter
		if idle {
			go l.room.Disconnect()
		}
		return idle
	})
}

// another opens one more link, now or when the one being opened is there: that one may have looked too early.
func (r *Run) another(why string) {
	if r.dialling {
		r.redial = why
		return
	}
	r.dialling, r.redial = true, ""
	l := r.newLink()
	go func() {
		ctx, cancel := context.WithTimeout(r.ctx, joinTimeout)
		defer cancel()
		// Joining would make a room that is over anew.
		if _, err := r.rec.c.Participants(ctx, r.room); err != nil {
			r.inbox.put(linkFailed{link: l, why: why, err: err})
			return
		}
		if err := r.dial(ctx, l); err != nil {
			r.inbox.put(linkFailed{link: l, why: why, err: err})
			return
		}
		if !r.inbox.put(linkUp{link: l, why: why}) {
			l.room.Disconnect() // stopped meanwhile
		}
	}()
}

func (r *Run) linkIsUp(m linkUp) {
	r.dialling, r.failures = false, 0
	r.up = append(r.up, m.link)
	r.mu.Lock()
	r.rejoins++
	r.mu.Unlock()
	r.note(capture.Event{At: r.now(), Type: capture.RecRejoin, Reason: m.why})
	r.log.Info("recorder opened another connection", "identity", m.link.identity, "reason", m.why)
	for _, pub := range m.link.publications() {
		r.claim(m.link, pub)
	}
	r.look(r.now())
	if r.redial != "" {
		r.another(r.redial)
	}
}

// linkHasFailed tries again later. A room that is not there is no failure, only not there yet or over.
func (r *Run) linkHasFailed(m linkFailed) {
	r.dialling = false
	r.failures++
	if !errors.Is(m.err, sfu.ErrNotFound) && !errors.Is(m.err, context.Canceled) {
		r.log.Warn("recorder cannot connect", "identity", m.link.identity, "failures", r.failures, "error", m.err)
	}
	why := m.why
	if r.redial != "" {
		why, r.redial = r.redial, ""
	}
	r.redial = why // keeps the watchdog from dialling as well
	time.AfterFunc(retryAfter(r.failures), func() { r.inbox.put(redialNow{why}) })
}

// linkIsShaky replaces a link that has lost its signalling while the packets still come. The client library mends such a
// link by an ICE restart, which costs two seconds of everything (measured); a new link takes over in a fifth of that.
func (r *Run) linkIsShaky(m linkShaky) {
	i := slices.Index(r.up, m.link)
	if i < 0 {
		return
	}
	r.up, r.fading = slices.Delete(r.up, i, i+1), append(r.fading, m.link)
	r.log.Warn("recorder's connection is interrupted", "identity", m.link.identity)
	r.another("reconnecting")
	time.AfterFunc(idleAfter, m.link.room.Disconnect)
}

// linkIsDown replaces a link that the server or the network ended.
func (r *Run) linkIsDown(m linkDown) {
	i := slices.Index(r.up, m.link)
	if i < 0 {
		return // ended by us, or never counted
	}
	r.up = slices.Delete(r.up, i, i+1)
	r.log.Warn("recorder lost its connection", "identity", m.link.identity, "reason", m.why)
	r.another("disconnected: " + m.why)
}
