package pages

import (
	"net/url"

	"huilu/internal/event"
	"huilu/internal/field"
	"huilu/internal/tenant"
)

type appJSON struct {
	AppID       string         `json:"app_id"`
	Name        string         `json:"name"`
	Type        tenant.AppType `json:"type"`
	Scopes      []string       `json:"scopes"`
	Redirects   []string       `json:"redirect_urls"`
	EventURL    string         `json:"event_url"`
	EventTypes  []string       `json:"event_types"`
	Enabled     bool           `json:"enabled"`
	VerifyToken string         `json:"verification_token"`
	EncryptKey  string         `json:"encrypt_key"`
	CreatedMS   int64          `json:"created_ms"`
	Secret      string         `json:"app_secret,omitempty"` // only when it was just made
}

func showApp(a tenant.App) appJSON {
	return appJSON{
		AppID: a.ID, Name: a.Name, Type: a.Type, Scopes: append([]string{}, a.Scopes...), Redirects: append([]string{}, a.Redirects...),
		EventURL: a.Events.URL, EventTypes: append([]string{}, a.Events.Types...), Enabled: !a.Disabled,
		VerifyToken: string(a.Events.VerificationToken), EncryptKey: string(a.Events.EncryptKey), CreatedMS: a.CreatedAt.UnixMilli(),
	}
}

// appChange is what a page says about an app; nil leaves a field as it is.
type appChange struct {
	Name       *string   `json:"name"`
	Scopes     *[]string `json:"scopes"`
	Redirects  *[]string `json:"redirect_urls"`
	EventURL   *string   `json:"event_url"`
	EventTypes *[]string `json:"event_types"`
	Enabled    *bool     `json:"enabled"`
}

// to returns app a as the change wants it.
func (c appChange) to(a tenant.App) (spec tenant.AppSpec, disabled bool, err error) {
	spec = tenant.AppSpec{Name: a.Name, Scopes: a.Scopes, Redirects: a.Redirects, EventURL: a.Events.URL, Events: a.Events.Types}
	enabled := !a.Disabled
	set(&spec.Name, c.Name)
	set(&spec.Scopes, c.Scopes)
	set(&spec.Redirects, c.Redirects)
	set(&spec.EventURL, c.EventURL)
	set(&spec.Events, c.EventTypes)
	set(&enabled, c.Enabled)
	for _, t := range spec.Events {
		if _, known := event.KindOf(event.Type(t)); !known {
			return spec, false, field.Invalid("event_types", "%q is not an event of this server", t)
		}
	}
	return spec, !enabled, nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (p *Pages) listApps(r *request) (any, error) {
	apps, err := p.Tenants.Apps(r.Context(), r.who.Tenant)
	if err != nil {
		return nil, err
	}
	out := listJSON[appJSON]{Items: []appJSON{}}
	for _, a := range apps {
		out.Items = append(out.Items, showApp(a))
	}
	return out, nil
}

func (p *Pages) getApp(r *request) (any, error) {
	a, err := p.Tenants.AppOf(r.Context(), r.who.Tenant, r.PathValue("app_id"))
	if err != nil {
		return nil, err
	}
	return showApp(a), nil
}

// createApp makes an app. An event address cannot come with it: the challenge is encrypted with
// a key that the receiver learns only afterwards, so it could not answer.
func (p *Pages) createApp(r *request) (any, error) {
	var in appChange
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.EventURL != nil && *in.EventURL != "" {
		return nil, errEarlyURL
	}
	spec, disabled, err := in.to(tenant.App{})
	if err != nil {
		return nil, err
	}
	a, secret, err := p.Tenants.CreateApp(r.Context(), r.who.org, spec)
	if err == nil && disabled {
		a, err = p.Tenants.UpdateApp(r.Context(), r.who.Tenant, a.ID, spec, true)
	}
	if err != nil {
		return nil, err
	}
	p.Log.InfoContext(r.Context(), "app made", "tenant", r.who.Tenant, "app", a.ID, "user", r.who.UserID)
	out := showApp(a)
	out.Secret = string(secret)
	return out, nil
}

// changeApp changes what the body names. A new event address is saved only when
// somebody there answers the challenge.
func (p *Pages) changeApp(r *request) (any, error) {
	var in appChange
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	ctx := r.Context()
	a, err := p.Tenants.AppOf(ctx, r.who.Tenant, r.PathValue("app_id"))
	if err != nil {
		return nil, err
	}
	spec, disabled, err := in.to(a)
	if err != nil {
		return nil, err
	}
	if spec.EventURL != "" && spec.EventURL != a.Events.URL {
		if u, err := url.Parse(spec.EventURL); err != nil || u.Host == "" {
			return nil, field.Invalid("event_url", "must be an http:// or https:// address")
		}
		if err := p.Challenge(ctx, spec.EventURL, a.Events); err != nil {
			return nil, err
		}
	}
	if a, err = p.Tenants.UpdateApp(ctx, r.who.Tenant, a.ID, spec, disabled); err != nil {
		return nil, err
	}
	p.Log.InfoContext(ctx, "app changed", "tenant", r.who.Tenant, "app", a.ID, "user", r.who.UserID)
	return showApp(a), nil
}

func (p *Pages) rotateSecret(r *request) (any, error) {
	id := r.PathValue("app_id")
	secret, err := p.Tenants.RotateSecret(r.Context(), r.who.Tenant, id)
	if err != nil {
		return nil, err
	}
	p.Log.InfoContext(r.Context(), "app secret replaced", "tenant", r.who.Tenant, "app", id, "user", r.who.UserID)
	return struct {
		Secret string `json:"app_secret"`
	}{string(secret)}, nil
}

type deliveryJSON struct {
	EventID   string        `json:"event_id"`
	Type      event.Type    `json:"type"`
	CreatedMS int64         `json:"created_ms"`
	State     event.State   `json:"state"`
	Attempts  []attemptJSON `json:"attempts"`
	NextMS    *int64        `json:"next_ms"` // null when no attempt will follow
}

type attemptJSON struct {
	AtMS      int64  `json:"at_ms"`
	Status    int    `json:"status"` // HTTP status, 0 when there was no answer
	LatencyMS int64  `json:"latency_ms"`
	Error     string `json:"error"`
}

const deliveriesShown = 100

// listDeliveries shows the latest events for an app and what became of each attempt.
func (p *Pages) listDeliveries(r *request) (any, error) {
	a, err := p.Tenants.AppOf(r.Context(), r.who.Tenant, r.PathValue("app_id"))
	if err != nil {
		return nil, err
	}
	ds, attempts, err := p.Deliveries.Deliveries(r.Context(), r.who.Tenant, a.ID, deliveriesShown)
	if err != nil {
		return nil, err
	}
	out := listJSON[deliveryJSON]{Items: []deliveryJSON{}}
	for _, d := range ds {
		j := deliveryJSON{EventID: d.ID, Type: d.Event.Type, CreatedMS: d.CreatedAt.UnixMilli(), State: d.State, Attempts: []attemptJSON{}}
		if d.State == event.Pending {
			j.NextMS = optionalMS(d.DueAt)
		}
		for _, x := range attempts[d.ID] {
			j.Attempts = append(j.Attempts, attemptJSON{x.At.UnixMilli(), x.Status, x.Latency.Milliseconds(), x.Error})
		}
		out.Items = append(out.Items, j)
	}
	return out, nil
}
