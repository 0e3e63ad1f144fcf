package recorder

import "sync"

// mailbox passes messages to a run's goroutine. It never makes the sender wait: the client library calls us while it holds
// locks that the run may want.
type mailbox struct {
	mu     sync.Mutex // guards the fields below
	list   []message
	closed bool

	wake chan struct{} // capacity 1
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// put says whether the message will be read: after close it will not.
func (m *mailbox) put(msg message) bool {
	m.mu.Lock()
	open := !m.closed
	if open {
		m.list = append(m.list, msg)
	}
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
	return open
}

func (m *mailbox) take() []message {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.list
	m.list = nil
	return list
}

// close ends the mailbox and returns what nobody has read.
func (m *mailbox) close() []message {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	return m.take()
}
