package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// connections is how many clients ask at once, each waiting for its answer before it asks again. It keeps two
// processors busy all the time; more would only wait longer.
const connections = 16

// client is one keep-alive connection of the load generator. It writes one prepared request, in which it only changes the
// meeting id, and reads the answer line by line: about as little as a client can do, so that what is measured is the server.
type client struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
	id      []byte // the digits within request
	pick    func(*rand.Rand) int64
	random  *rand.Rand
	took    []time.Duration // of each request of the current stretch
}

// dialClient connects to addr and prepares a GET of path, in which {id} stands for nineteen digits, with a token.
func dialClient(ctx context.Context, addr, path, token string, pick func(*rand.Rand) int64, seed uint64) (*client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	const digits = "0000000000000000000"
	before, after, ok := bytes.Cut([]byte(path), []byte("{id}"))
	if !ok {
		return nil, fmt.Errorf("path %q without {id}", path)
	}
	head := append([]byte("GET "), before...)
	c := &client{conn: conn, in: bufio.NewReader(conn), pick: pick, random: rand.New(rand.NewPCG(seed, seed))}
	c.request = fmt.Appendf(nil, "%s%s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAuthorization: Bearer %s\r\nContent-Type: application/json; charset=utf-8\r\n\r\n",
		head, digits, after, addr, token)
	c.id = c.request[len(head) : len(head)+len(digits)]
	return c, nil
}

// ask makes one request and returns the length of the answer's body, which stays unread.
func (c *client) ask() (body int, err error) {
	strconv.AppendInt(c.id[:0], c.pick(c.random), 10)
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return 0, fmt.Errorf("answer: %s to %s", bytes.TrimSpace(line), c.id)
	}
	length := []byte("Content-Length: ")
	for len(line) > 2 {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if bytes.HasPrefix(line, length) {
			if body, err = strconv.Atoi(string(bytes.TrimSpace(line[len(length):]))); err != nil {
				return 0, err
			}
		}
	}
	if body == 0 {
		return 0, errors.New("answer without a length")
	}
	return body, nil
}

// read makes one request and returns the whole body.
func (c *client) read() ([]byte, error) {
	n, err := c.ask()
	if err != nil {
		return nil, err
	}
	b, err := c.in.Peek(n)
	b = slices.Clone(b)
	_, _ = c.in.Discard(len(b)) // it was there
	return b, err
}

// hammer asks until the end, and notes how long each answer took.
func (c *client) hammer(end time.Time) error {
	c.took = c.took[:0]
	if err := c.conn.SetDeadline(end.Add(10 * time.Second)); err != nil {
		return err
	}
	for last := time.Now(); last.Before(end); {
		n, err := c.ask()
		if err == nil {
			_, err = c.in.Discard(n)
		}
		if err != nil {
			return err
		}
		now := time.Now()
		c.took = append(c.took, now.Sub(last))
		last = now
	}
	return nil
}

// sample is what a stretch of load gave.
type sample struct {
	rps float64 // answers a second
	p99 float64 // ms; 99 of 100 answers took no longer
	cpu float64 // µs of processor time for each answer, of client and server together
}

// stretch lets all clients ask for d.
func stretch(clients []*client, d time.Duration) (sample, error) {
	begun, used := time.Now(), processorTime()
	failed := make(chan error, len(clients))
	for _, c := range clients {
		go func() { failed <- c.hammer(begun.Add(d)) }()
	}
	var err error
	for range clients {
		err = errors.Join(err, <-failed)
	}
	took, used := time.Since(begun), processorTime()-used
	var all []time.Duration
	for _, c := range clients {
		all = append(all, c.took...)
	}
	if err != nil || len(all) == 0 {
		return sample{}, errors.Join(err, errors.New("no load"))
	}
	slices.Sort(all)
	n := float64(len(all))
	return sample{rps: n / took.Seconds(), p99: float64(all[len(all)*99/100]) / 1e6, cpu: float64(used) / 1e3 / n}, nil
}

// processorTime is what this process has used so far, without its children.
func processorTime() time.Duration { return used(syscall.RUSAGE_SELF) }

// childrenTime is what children that have ended used.
func childrenTime() time.Duration { return used(syscall.RUSAGE_CHILDREN) }

func used(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0 // cannot happen: the argument is right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
