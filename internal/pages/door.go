package pages

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"huilu/internal/ident"
	"huilu/internal/meeting"
)

type doorJSON struct {
	Topic            string `json:"topic"`
	OwnerName        string `json:"owner_name"`
	Status           string `json:"status"` // waiting or running
	GuestsAllowed    bool   `json:"guests_allowed"`
	PasswordRequired bool   `json:"password_required"`
	Recording        bool   `json:"recording"`
}

// readDoor tells whoever has a meeting number what they find there. Trying numbers is slowed down.
func (p *Pages) readDoor(r *request) (any, error) {
	no := r.PathValue("meeting_no")
	var sign meeting.DoorSign
	err := p.guesses.try([]payment{p.atTheDoor(r)}, func() (err error) {
		if !ident.IsMeetingNo(no) {
			return meeting.ErrExpired
		}
		sign, err = p.Meetings.Door(r.Context(), no, r.visitor())
		return err
	}, isGuess)
	if errors.Is(err, meeting.ErrExpired) {
		return nil, errNoMeeting // whether it ever was in use is nobody's business
	} else if err != nil {
		return nil, err
	}
	out := doorJSON{Topic: sign.Topic, OwnerName: sign.Owner, Status: "waiting", GuestsAllowed: sign.GuestsAllowed, PasswordRequired: sign.PasswordRequired}
	if sign.Running {
		out.Status = "running"
		if out.Recording, err = p.Recordings.Running(r.Context(), sign.Meeting); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type joinedJSON struct {
	MeetingID string `json:"meeting_id"`
	ServerURL string `json:"server_url"`
	Token     string `json:"token"`
	Identity  string `json:"identity"`
	Name      string `json:"name"`
	IsHost    bool   `json:"is_host"`
}

// enter lets somebody into a meeting and signs their way into its room. Trying passwords is slowed down.
func (p *Pages) enter(r *request) (any, error) {
	var in struct {
		Name     string `json:"name"` // of a guest
		Password string `json:"password"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	no, v := r.PathValue("meeting_no"), r.visitor()
	v.Name, v.Password = in.Name, in.Password
	if r.who == nil {
		if err := p.guesses.take(ticketsFrom, "tickets for "+p.place(r.Request)); err != nil {
			return nil, err
		}
	}
	from := []payment{p.atTheDoor(r)}
	if in.Password != "" { // without one there is nothing to guess
		from = append(from, payment{keysFrom, "key to " + no + " from " + p.place(r.Request)}, payment{keysTo, "key to " + no})
	}
	var m meeting.Meeting
	var who meeting.Participant
	err := p.guesses.try(from, func() (err error) {
		if !ident.IsMeetingNo(no) {
			return meeting.ErrExpired
		}
		m, who, err = p.Meetings.Enter(r.Context(), no, v)
		return err
	}, isGuess)
	if err != nil {
		return nil, err
	}
	return p.ticket(r, m, who)
}

func (p *Pages) ticket(r *request, m meeting.Meeting, who meeting.Participant) (any, error) {
	isHost := who.User != 0 && who.User == m.Host
	attributes := map[string]string{} // what the others see of this one; who hosts later is told by the room
	if who.User == 0 {
		attributes["guest"] = "true"
	}
	if isHost {
		attributes["role"] = "host"
	}
	token, err := p.Tickets.Token(m.Room(), who.ID, who.Name, attributes)
	if err != nil {
		return nil, err
	}
	server, err := p.sfuURL(r.Request)
	if err != nil {
		return nil, err
	}
	return joinedJSON{
		MeetingID: strconv.FormatInt(m.ID, 10), ServerURL: server, Token: token, Identity: who.ID, Name: who.Name,
		IsHost: isHost,
	}, nil
}

// sfuURL is where the page connects its media. The page's own origin counts, not what this server is called in its
// settings: its policy lets a page talk to where it came from, and somebody may have come by localhost or by an address.
func (p *Pages) sfuURL(r *http.Request) (string, error) {
	origin, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || origin.Host == "" {
		if origin, err = url.Parse(p.BaseURL); err != nil {
			return "", err
		}
	}
	u, err := origin.Parse(p.SFUURL)
	if err != nil {
		return "", err
	}
	if scheme, ok := strings.CutPrefix(u.Scheme, "http"); ok {
		u.Scheme = "ws" + scheme
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

func (r *request) visitor() meeting.Visitor {
	if r.who == nil {
		return meeting.Visitor{}
	}
	return meeting.Visitor{User: &r.who.User}
}

func (p *Pages) atTheDoor(r *request) payment {
	return payment{doorsFrom, "door from " + p.place(r.Request)}
}

// isGuess says whether a refusal at the door told somebody that their guess was wrong.
func isGuess(err error) bool {
	return errors.Is(err, meeting.ErrExpired) || errors.Is(err, meeting.ErrWrongPassword)
}
