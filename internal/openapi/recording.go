package openapi

import (
	"context"
	"encoding/json"
	"strconv"
)

var recordingFields = []Field{
	{Name: "timezone", Kind: Int, Min: -12, Max: 12, Text: "hours from UTC of the time shown in the file"},
}

func (a *API) startRecording(ctx context.Context, c *call) (any, error) {
	id, err := c.meetingID()
	if err != nil {
		return nil, err
	}
	var zone *int
	if c.body.has("timezone") {
		zone = new(c.body.int("timezone"))
	}
	return nil, a.recordings.Start(ctx, c.caller.Actor(), id, zone)
}

func (a *API) stopRecording(ctx context.Context, c *call) (any, error) {
	id, err := c.meetingID()
	if err != nil {
		return nil, err
	}
	return nil, a.recordings.Stop(ctx, c.caller.Actor(), id)
}

// getRecording is the call this server exists for. What decides is recording.Decide.
func (a *API) getRecording(ctx context.Context, c *call) (any, error) {
	id, err := c.meetingID()
	if err != nil {
		return nil, err
	}
	f, err := a.recordings.Fetch(ctx, c.caller.Actor(), id)
	if err != nil {
		return nil, err
	}
	return recordingReply{a.minuteHead, f.Minute, f.Duration.Milliseconds()}, nil
}

// recordingReply is data of GET recording: the address of the minute and its
// length, a string of milliseconds (contract vc.md §4).
type recordingReply struct {
	head     []byte // recordingHead
	minute   string // letters and digits only
	duration int64  // milliseconds
}

// recordingHead is everything before the minute token, escaped once.
func recordingHead(l Links) []byte {
	url, err := json.Marshal(l.Minute(""))
	if err != nil {
		url = []byte(`""`) // cannot happen: texts always have a JSON form
	}
	return append([]byte(`{"recording":{"url":`), url[:len(url)-1]...)
}

func (r recordingReply) appendJSON(b []byte) []byte {
	b = append(append(b, r.head...), r.minute...)
	b = append(b, `","duration":"`...)
	return append(strconv.AppendInt(b, r.duration, 10), `"}}`...)
}
