package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"

	"huilu/internal/app/apptest"
	"huilu/internal/people"
)

// cast is what the child process with the people is told.
type cast struct {
	Base   string // address of the server
	Folder string // for the pictures, which are drawn once
	People []role
}

// role is one of the people.
type role struct {
	Email, Password string
	No              string // of the meeting
	Index           int    // which of the pictures
}

// mediaLoop is how long pictures last before they repeat.
const mediaLoop = 10 * time.Second

// enter starts the people and returns the ids of the meetings they are in, in their order. They are another process, so
// that what they cost is not taken for the server's.
func enter(ctx context.Context, c cast) (meetings []int64, done func(), err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	script, err := json.Marshal(c)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), roleVar+"=people")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	done = func() { _ = in.Close(); _ = cmd.Wait() } // they leave when their input ends
	_, err = in.Write(append(script, '\n'))
	if err == nil {
		err = json.NewDecoder(out).Decode(&meetings)
	}
	if err == nil && len(meetings) != len(c.People) {
		err = fmt.Errorf("%d of %d came", len(meetings), len(c.People))
	}
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("people: %w", err)
	}
	return meetings, done, nil
}

// act is the child process: it reads a cast, lets everybody enter with camera and microphone and see the others, says where
// they are, and lets them leave when its input ends.
func act() error {
	lksdk.SetLogger(logger.GetDiscardLogger())
	ctx := context.Background()
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var c cast
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	media := map[int]*people.Media{}
	var meetings []int64
	for _, r := range c.People {
		if media[r.Index] == nil {
			p := people.Person{Name: fmt.Sprint("Person ", r.Index), Index: r.Index} // 1280x720, 30 pictures a second, H.264
			if media[r.Index], err = people.Prepare(ctx, p, mediaLoop, c.Folder, nil); err != nil {
				return err
			}
		}
		s, id, err := r.join(ctx, c.Base, media[r.Index])
		if err != nil {
			return err
		}
		defer s.Leave()
		meetings = append(meetings, id)
	}
	said, err := json.Marshal(meetings)
	if err != nil {
		return err
	}
	if _, err := os.Stdout.Write(append(bytes.TrimSpace(said), '\n')); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

func (r role) join(ctx context.Context, base string, m *people.Media) (s *people.Session, meeting int64, err error) {
	v, err := apptest.Login(ctx, base, r.Email, r.Password)
	if err != nil {
		return nil, 0, fmt.Errorf("%s logs in: %w", r.Email, err)
	}
	s, id, err := v.Join(ctx, r.No, m, people.Options{Subscribe: true})
	if err != nil {
		return nil, 0, fmt.Errorf("%s joins: %w", r.Email, err)
	}
	if _, err := fmt.Sscan(id, &meeting); err != nil {
		s.Leave()
		return nil, 0, errors.Join(fmt.Errorf("meeting %q", id), err)
	}
	return s, meeting, nil
}
