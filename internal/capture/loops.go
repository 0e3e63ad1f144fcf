package capture

import (
	"errors"
	"fmt"
	"time"
)

// openLogs returns the logs that are being written.
func (s *Session) openLogs() []*TrackLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	logs := make([]*TrackLog, 0, len(s.logs))
	for t := range s.logs {
		logs = append(logs, t)
	}
	return logs
}

// flushLoop moves what the logs gathered to the system, where a kill cannot reach it.
func (s *Session) flushLoop() {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.flushAll()
		}
	}
}

func (s *Session) flushAll() {
	var errs []error
	for _, t := range s.openLogs() {
		if err := t.flush(); err != nil {
			errs = append(errs, err)
		}
		s.reportDropped(t, false)
	}
	if err := s.flushEvents(); err != nil {
		errs = append(errs, err)
	}
	s.mu.Lock()
	shed := s.shed
	s.mu.Unlock()
	if len(errs) > 0 || !shed { // while pictures are shed, a flush that works heals nothing
		s.setTrouble(errors.Join(errs...))
	}
}

// syncLoop moves what the system holds to the disk. It runs apart from flushing because an fsync may take seconds.
func (s *Session) syncLoop() {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		appeared := false
		select {
		case <-s.stop:
			return
		case <-tick.C:
		case <-s.appeared:
			appeared = true
		}
		s.checkRoom()
		s.syncAll(appeared)
	}
}

func (s *Session) syncAll(folder bool) {
	errs := []error{s.events.Sync()}
	for _, t := range s.openLogs() {
		errs = append(errs, t.sync())
	}
	if folder {
		errs = append(errs, syncRoot(s.root))
	}
	if err := errors.Join(errs...); err != nil {
		s.setTrouble(fmt.Errorf("capture: sync: %w", err))
	}
}

// soon asks for a sync because a file appeared.
func (s *Session) soon() {
	select {
	case s.appeared <- struct{}{}:
	default: // one is waiting already
	}
}

// checkRoom gives up pictures while the disk is nearly full, and takes them again when there is twice the room.
func (s *Session) checkRoom() {
	free, err := s.freeBytes()
	if err != nil {
		return // not knowing is no reason to stop recording
	}
	s.mu.Lock()
	was := s.shed
	s.shed = free < keepFree || was && free < 2*keepFree
	is := s.shed
	switch {
	case is:
		s.trouble = fmt.Errorf("capture: disk nearly full (%d MiB free): recording sound only", free>>20)
	case was:
		s.trouble = nil
	}
	s.mu.Unlock()
	if is == was {
		return
	}
	for _, t := range s.openLogs() {
		if t.meta.Kind == Video {
			t.setShed(is)
		}
	}
}

// reportDropped notes that packets of t were lost: at once when it begins, then at growing intervals, and at the end.
func (s *Session) reportDropped(t *TrackLog, last bool) {
	now := time.Now()
	n := t.takeDropped(now, last)
	if n == 0 {
		return
	}
	e := t.meta.about(Truncated, now)
	e.File, e.Reason = t.name, fmt.Sprintf("%d packets not stored: disk full or too slow", n)
	_ = s.Note(e) // when even this fails, Err has it
}
