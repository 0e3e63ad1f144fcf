package pages

import (
	"slices"

	"huilu/internal/event"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

func (p *Pages) listScopes(*request) (any, error) {
	var names scope.Set
	for _, s := range scope.All() {
		names = append(names, s.Name)
	}
	return describe(names), nil
}

type eventTypeJSON struct {
	Type   event.Type `json:"type"`
	TextEN string     `json:"text_en"`
	TextZH string     `json:"text_zh"`
}

func (p *Pages) listEventTypes(*request) (any, error) {
	out := []eventTypeJSON{}
	for _, k := range event.Kinds() {
		out = append(out, eventTypeJSON{k.Type, k.TextEN, k.TextZH})
	}
	return out, nil
}

type statusJSON struct {
	Ready    bool      `json:"ready"`
	Problems []Problem `json:"problems"`
}

// status says whether the server can do its work. What exactly is wrong may
// name disks and hosts: that is for administrators.
func (p *Pages) status(r *request) (any, error) {
	problems := p.Health(r.Context())
	inTheWay := slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
	out := statusJSON{Ready: !inTheWay, Problems: []Problem{}}
	if r.who != nil && r.who.Role == tenant.Admin {
		out.Problems = append(out.Problems, problems...)
	}
	return out, nil
}
