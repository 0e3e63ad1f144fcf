package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"huilu/internal/examine"
)

// held is a meeting that has ended.
type held struct {
	id       string
	recorded time.Duration // from the start of recording to the end of the meeting, by the wall clock
	endedAt  time.Time
}

// meet reserves a meeting, lets the people talk and be recorded, and ends it.
func (d *demo) meet(ctx context.Context) (h held, err error) {
	no, err := d.reserve(ctx)
	if err != nil {
		return h, fmt.Errorf("reserve: %w", err)
	}
	for i := range d.crowd {
		p := &d.crowd[i]
		if h.id, err = p.join(ctx, d.app.URL(), no); err != nil {
			return h, fmt.Errorf("%s joins: %w", p.user.Name, err)
		}
		defer p.session.Leave()
		d.say("%s is in meeting %s", p.user.Name, h.id)
	}
	if err := d.settled(ctx, h.id); err != nil {
		return h, err
	}
	host, at := d.crowd[0].token, "/vc/v1/meetings/"+h.id
	if err := d.client.call(ctx, http.MethodPatch, at+"/recording/start", host, map[string]int{"timezone": 8}, nil); err != nil {
		return h, fmt.Errorf("start recording: %w", err)
	}
	started := time.Now()
	d.say("recording: %d people talk for %d s", len(d.crowd), d.opt.Seconds)
	if err := d.talk(ctx); err != nil {
		return h, err
	}
	if err := d.client.call(ctx, http.MethodPatch, at+"/end", host, nil, nil); err != nil {
		return h, fmt.Errorf("end the meeting: %w", err)
	}
	h.endedAt = time.Now()
	h.recorded = h.endedAt.Sub(started)
	d.say("the host ended the meeting after %.1f s of recording", h.recorded.Seconds())
	return h, nil
}

// reserve asks the API for a meeting that belongs to the first person.
func (d *demo) reserve(ctx context.Context) (no string, err error) {
	if err := d.client.login(ctx); err != nil {
		return "", err
	}
	var r struct {
		Reserve struct {
			No  string `json:"meeting_no"`
			URL string `json:"url"`
		} `json:"reserve"`
	}
	body := map[string]any{
		"end_time": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10), "owner_id": d.crowd[0].openID,
		"meeting_settings": map[string]any{"topic": "huilu demo 演示"},
	}
	if err := d.client.call(ctx, http.MethodPost, "/vc/v1/reserves/apply?user_id_type=open_id", d.client.token, body, &r); err != nil {
		return "", err
	}
	d.say("reserved %s", r.Reserve.URL)
	return r.Reserve.No, nil
}

// settled waits until the API says that everybody is in the meeting.
func (d *demo) settled(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		var r struct {
			Meeting struct {
				Participants []struct {
					Status int `json:"status"`
				} `json:"participants"`
			} `json:"meeting"`
		}
		if err := d.client.call(ctx, http.MethodGet, "/vc/v1/meetings/"+id+"?with_participants=true", d.client.token, nil, &r); err != nil {
			return err
		}
		inside := 0
		for _, p := range r.Meeting.Participants {
			if p.Status == 2 {
				inside++
			}
		}
		if inside >= len(d.crowd) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d people arrived: %w", inside, len(d.crowd), ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// talk lets the time pass, and says so.
func (d *demo) talk(ctx context.Context) error {
	end := time.After(time.Duration(d.opt.Seconds) * time.Second)
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			d.say("… talking; %d packets of others reached %s", d.crowd[0].session.Received(), d.crowd[0].user.Name)
		}
	}
}

// collect waits for the event, fetches the recording as a program would, and examines the file.
func (d *demo) collect(ctx context.Context, h held) (s Summary, err error) {
	wait, cancel := context.WithTimeout(ctx, 2*time.Minute+4*time.Duration(d.opt.Seconds)*time.Second)
	defer cancel()
	d.say("waiting for recording_ready")
	n, err := d.events.wait(wait, "vc.meeting.recording_ready_v1", h.id)
	if err != nil {
		return s, err
	}
	s = Summary{MeetingID: h.id, EventID: n.Header.EventID, ReadyAfterMS: n.at.Sub(h.endedAt).Milliseconds()}
	d.say("recording_ready %s arrived %.1f s after the end", s.EventID, float64(s.ReadyAfterMS)/1000)
	if err := d.fetch(ctx, &s); err != nil {
		return s, err
	}
	d.say("examining the file")
	report, err := examine.Examine(ctx, s.File, d.expected(h, time.Duration(s.DurationMS)*time.Millisecond))
	if err != nil {
		return s, err
	}
	s.Checks = report.Checks
	for _, c := range s.Checks {
		d.say("%s", c)
	}
	return s, nil
}

// fetch GETs the recording, then the minute's media.
func (d *demo) fetch(ctx context.Context, s *Summary) error {
	var r struct {
		Recording struct {
			URL      string `json:"url"`
			Duration string `json:"duration"`
		} `json:"recording"`
	}
	if err := d.client.call(ctx, http.MethodGet, "/vc/v1/meetings/"+s.MeetingID+"/recording", d.client.token, nil, &r); err != nil {
		return err
	}
	ms, err := strconv.ParseInt(r.Recording.Duration, 10, 64)
	if err != nil {
		return fmt.Errorf("duration %q of the recording: %w", r.Recording.Duration, err)
	}
	s.URL, s.DurationMS = r.Recording.URL, ms
	d.say("GET recording: %s, %d ms", s.URL, s.DurationMS)
	u, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	var m struct {
		URL string `json:"download_url"`
	}
	if err := d.client.call(ctx, http.MethodGet, "/minutes/v1/minutes/"+path.Base(u.Path)+"/media", d.client.token, nil, &m); err != nil {
		return err
	}
	s.File = filepath.Join(d.opt.Folder, "recording.mp4")
	if err := download(ctx, m.URL, s.File); err != nil {
		return err
	}
	d.say("downloaded to %s", s.File)
	return nil
}

// settle is how long after the start of recording a newcomer's picture may take: the key frame and the climb to full size.
const settle = 1500 * time.Millisecond

// expected is who should be seen and heard: everybody, from the start to the end.
func (d *demo) expected(h held, length time.Duration) examine.Options {
	o := examine.Options{Loop: d.loop(), Duration: h.recorded}
	whole := []examine.Interval{{From: examine.Seconds(settle.Seconds()), To: examine.Seconds(length.Seconds())}}
	for i := range d.crowd {
		o.People = append(o.People, examine.Expected{Index: i, Name: d.crowd[i].user.Name, Seen: whole, Heard: whole})
	}
	return o
}
